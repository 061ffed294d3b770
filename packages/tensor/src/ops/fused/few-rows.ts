import { type FloatDType, floatCode } from "../../dtype.ts";
import type { Capabilities } from "../../gpu/capabilities.ts";
import type { Constants } from "../../gpu/pipelines.ts";
import { sizeOf } from "../../shape.ts";
import type { F32, Weight } from "../ops.ts";
import type { NormFirst } from "./fused-ops.ts";

/** What stands around a product of few rows. */
export interface Around {
  readonly norm?: NormFirst | undefined;
  readonly normWeight?: Weight | null;
  readonly addend?: F32;
  /** The weight is a gate and, below it, what it is multiplied with. */
  readonly gated?: boolean;
}

/** Rows of the variants of `kernels/linear_few.wgsl`. */
const variants = [1, 2, 4, 8];
const mostRows = variants.at(-1)!;

/**
 * `x Wᵀ` for few rows, with what stands around it, in one kernel: as {@link Around} says.
 * @param weight `[n, k]`, or `[2 n, k]` with a gate
 * @returns null where the kernel is not for these shapes
 */
export function linearFew(x: F32, weight: Weight, around: Around = {}): F32 | null {
  const { norm, normWeight = null, addend, gated = false } = around;
  const { device } = x;
  const { maxBindingBytes } = device.capabilities;
  const k = x.shape.at(-1)!;
  const m = sizeOf(x.shape.slice(0, -1));
  const n = weight.shape[0]! / (gated ? 2 : 1);
  if (m === 0 || m > mostRows || k === 0 || k % 4 !== 0 || weight.bytes > maxBindingBytes) return null;
  const out = device.empty([...x.shape.slice(0, -1), n], "f32", "linear");
  const { kernel, constants, workgroups } = planFew(device.capabilities, weight.dtype, { m, n, gated });
  device.dispatch({
    kernel,
    constants: {
      ...constants,
      ...(norm && { NORMALIZE: true, CENTERED: norm.kind === "layer" }),
      ...(norm && normWeight && { NORM_DTYPE: floatCode(normWeight.dtype) }),
      ...(addend && { ADD: true }),
    },
    bindings: { x, norm_weight: normWeight ?? x, w: weight, addend: addend ?? x, out },
    params: { m, n, k, eps: norm?.eps ?? 0 },
    workgroups: device.grid(workgroups),
  });
  return out;
}

/** How the kernel runs, from shapes and capabilities alone. */
function planFew(
  { software }: Capabilities,
  dtype: FloatDType,
  { m, n, gated }: { readonly m: number; readonly n: number; readonly gated: boolean },
): { readonly kernel: string; readonly constants: Constants; readonly workgroups: number } {
  const ROWS = variants.find((rows) => m <= rows)!;
  const [LANES_N, LANES_K] = software ? [8, 1] : [1, 64];
  const partials = LANES_K > 1 ? { PARTIALS: ROWS * LANES_N * LANES_K * (gated ? 2 : 1) } : {};
  return {
    kernel: dtype === "f32" ? "linear_few" : "linear_few_packed",
    constants: {
      ...{ ROWS, LANES_N, LANES_K, ...partials },
      ...(gated && { GATED: true }),
      ...(dtype !== "f32" && { W_DTYPE: floatCode(dtype) }),
    },
    workgroups: Math.ceil(n / (4 * LANES_N)),
  };
}

import { floatCode } from "../../dtype.ts";
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

/** With more rows, what each workgroup does again for itself costs more than a run of a kernel. */
const mostRows = 2;
/** Where lanes are a CPU's and a weight has more elements than this, the same. */
const mostElements = 2 ** 18;

/** How the lanes of a workgroup are laid out, as `kernels/lib/linear_few.wgsl` says. */
interface Lanes {
  readonly LANES_N: number;
  readonly LANES_K: number;
}
const ofCpu: Lanes = { LANES_N: 8, LANES_K: 1 };
const ofGpu: Lanes = { LANES_N: 1, LANES_K: 64 };

/**
 * `x Wᵀ` for few rows, with what stands around it, in one kernel: as {@link Around} says.
 * @param weight `[n, k]`, or `[2 n, k]` with a gate
 * @param forced overrides the choice of lanes, for tests
 * @returns null where the kernel is not for these shapes
 */
export function linearFew(x: F32, weight: Weight, around: Around = {}, forced?: Lanes): F32 | null {
  const { norm, normWeight = null, addend, gated = false } = around;
  const { device } = x;
  const { maxBindingBytes, software } = device.capabilities;
  const k = x.shape.at(-1)!;
  const m = sizeOf(x.shape.slice(0, -1));
  const n = weight.shape[0]! / (gated ? 2 : 1);
  if (m === 0 || m > mostRows || k === 0 || k % 4 !== 0) return null;
  if (weight.bytes > maxBindingBytes || (software && weight.size > mostElements)) return null;
  const out = device.empty([...x.shape.slice(0, -1), n], "f32", "linear");
  const { LANES_N, LANES_K } = forced ?? (software ? ofCpu : ofGpu);
  device.dispatch({
    kernel: weight.dtype === "f32" ? "linear_few" : "linear_few_packed",
    constants: {
      ...{ ROWS: m, LANES_N, LANES_K },
      ...(LANES_K > 1 && { PARTIALS: m * LANES_N * LANES_K * (gated ? 2 : 1) }),
      ...(weight.dtype !== "f32" && { W_DTYPE: floatCode(weight.dtype) }),
      ...(gated && { GATED: true }),
      ...(norm && { NORMALIZE: true, CENTERED: norm.kind === "layer" }),
      ...(norm && normWeight && { NORM_DTYPE: floatCode(normWeight.dtype) }),
      ...(addend && { ADD: true }),
    },
    bindings: { x, norm_weight: normWeight ?? x, w: weight, addend: addend ?? x, out },
    params: { n, k, eps: norm?.eps ?? 0 },
    workgroups: device.grid(Math.ceil(n / (4 * LANES_N))),
  });
  return out;
}

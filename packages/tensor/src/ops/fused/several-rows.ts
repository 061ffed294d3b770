import { floatCode } from "../../dtype.ts";
import { sizeOf } from "../../shape.ts";
import type { F32, Weight } from "../ops.ts";
import type { Around } from "./few-rows.ts";
import { normalized } from "./joint.ts";

/** With more rows, a norm and a product by themselves are as fast, or faster. */
const mostRows = 24;
/** The same where a weight has more elements: each workgroup finds what the rows are divided by for itself. */
const mostElements = 2 ** 16;

/**
 * `x Wᵀ` for several rows, with a norm before it or a gate behind it, in one kernel: as {@link Around} says, without an addend. It is for narrow
 * subgroups of a CPU's lanes. A LayerNorm is a kernel of its own.
 * @param weight `[n, k]`, or `[2 n, k]` with a gate
 * @returns null where the kernel is not for these shapes, or there is nothing around the product
 */
export function linearSeveral(x: F32, weight: Weight, around: Omit<Around, "addend">): F32 | null {
  const { norm, normWeight = null, gated = false } = around;
  const { device } = x;
  const { maxBindingBytes, software, subgroups } = device.capabilities;
  const k = x.shape.at(-1)!;
  const m = sizeOf(x.shape.slice(0, -1));
  const n = weight.shape[0]! / (gated ? 2 : 1);
  const lanes = subgroups?.min === subgroups?.max ? subgroups?.max : undefined;
  if (!software || (lanes !== 4 && lanes !== 8) || (norm?.kind !== "rms" && !gated)) return null;
  if (m === 0 || m > mostRows || k === 0 || k % 4 !== 0 || n % 4 !== 0) return null;
  if (weight.size > mostElements || Math.max(weight.bytes, x.bytes, 4 * m * n) > maxBindingBytes) return null;
  const own = norm?.kind === "rms" ? norm : undefined;
  const input = own ? x : normalized(x, normWeight, norm);
  const out = device.empty([...x.shape.slice(0, -1), n], "f32", "linear");
  const rows = m <= 4 ? 4 : 8;
  device.dispatch({
    kernel: "linear_several",
    constants: {
      LANES: lanes,
      ROWS: rows,
      W_DTYPE: floatCode(weight.dtype),
      WORDS: weight.dtype === "f32" ? 4 : 2,
      ...(gated && { GATED: true }),
      ...(own && { NORMALIZE: true }),
      ...(own && normWeight && { NORM_DTYPE: floatCode(normWeight.dtype) }),
    },
    bindings: { x: input, norm_weight: (own && normWeight) ?? input, w: weight, out },
    params: { m, n, k, eps: own?.eps ?? 0 },
    workgroups: device.grid(Math.ceil(m / rows) * Math.ceil(n / (4 * lanes))),
  });
  return out;
}

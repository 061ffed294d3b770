import { ArgumentError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { attentionForward } from "./attention.ts";
import { matmulInto, matmulWith } from "./matmul.ts";
import { requireHalves } from "./mixed-plan.ts";
import type { F32, Ops, Weight } from "./ops.ts";

/**
 * An `Ops` in mixed precision (Micikevicius et al. 2018): `linear`, `matmul` and `matmulInto` round both inputs to f16, to nearest, and
 * multiply and sum in f32. On adapters with matrix units of 16-bit floats (NVIDIA's and AMD's GPUs) or of f32 (Apple's) these do it. The products of
 * `attention` do so too, for 16 queries or more, where there are units of 16-bit floats: q, k, v and the weights are rounded, and what is not finite
 * then is computed again in f32. All else stays f32: also the gradient of attention, and a product of up to eight rows, whose time is that of reading
 * the weight.
 *
 * An input of a product that is not stored as f16 is multiplied by a power of two first, which takes its largest magnitude to 2¹⁴ … 2¹⁵, and the result is
 * divided by it. So nothing overflows f16, and small gradients keep their digits without a scaled loss: the error of an element of the result
 * is at most `(2⁻¹⁰ + K · 2⁻²³) Σₖ |aₖ bₖ|` for sums of K terms, and 2⁻³⁸ of the largest products. Where an input has an infinity or NaN in it, its
 * numbers above 65504 become infinite too. Attention's inputs are not scaled: there, numbers below 2⁻¹⁴ lose digits.
 *
 * It has kernels of its own, so it stands over `ops`, and what records, counts or adds stands over it: `new Tape(mixedOps(ops))` rounds
 * backward as well as forward.
 * @throws {ArgumentError} when `base` records
 * @throws {FeatureError} (its products) on an adapter without `shader-f16`
 */
export function mixedOps(base: Ops): Ops {
  if (base.records)
    throw new ArgumentError(
      "mixedOps: base is a tape's operations, which would not record its products; write new Tape(mixedOps(ops))",
    );
  return {
    ...base,
    linear(x: F32, weight: Weight) {
      requireHalves(x.device.capabilities, "linear");
      // A single row, or an error that `base` words.
      if (x.shape.length < 2 || weight.shape.length !== 2 || weight.shape[1] !== x.shape.at(-1))
        return base.linear(x, weight as never) as never;
      return matmulWith("mixed", x, weight, { transposeB: true }) as never;
    },
    matmul: (a: F32, b: Weight<Shape>, options) => matmulWith("mixed", a, b, options) as never,
    attention: (q, k, v, options) =>
      q.device.scoped("attention", () => mixedAttention(q, k, v, options).output as never),
    attentionForward: mixedAttention,
    matmulInto: (target, a, b, options) => matmulInto(target, a, b, options, "mixed"),
  };
}

const mixedAttention: Ops["attentionForward"] = (q, k, v, options) => {
  requireHalves(q.device.capabilities, "attention");
  return attentionForward(q, k, v, options, "mixed");
};

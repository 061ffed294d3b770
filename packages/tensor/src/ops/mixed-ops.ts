import { ArgumentError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { matmulInto, matmulWith } from "./matmul.ts";
import { requireHalves } from "./mixed-plan.ts";
import type { F32, Ops, Weight } from "./ops.ts";

/**
 * An `Ops` in mixed precision (Micikevicius et al. 2018): `linear`, `matmul` and `matmulInto` round both inputs to f16, to nearest, and
 * multiply and sum in f32. On adapters with matrix units of 16-bit floats (NVIDIA's and AMD's GPUs) or of f32 (Apple's) these do it. All else,
 * and a product of up to eight rows, whose time is that of reading the weight, stays f32.
 *
 * An input that is not stored as f16 is multiplied by a power of two first, which takes its largest magnitude to 2¹⁴ … 2¹⁵, and the result is
 * divided by it. So nothing overflows f16, and small gradients keep their digits without a scaled loss: the error of an element of the result
 * is at most `(2⁻¹⁰ + K · 2⁻²³) Σₖ |aₖ bₖ|` for sums of K terms, and 2⁻³⁸ of the largest products. Where an input has an infinity or NaN in it, its
 * numbers above 65504 become infinite too.
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
    matmulInto: (target, a, b, options) => matmulInto(target, a, b, options, "mixed"),
  };
}

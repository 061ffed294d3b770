import { linearLossesOver, lossOfLogits } from "./linear-cross-entropy.ts";
import type { F32, Ops, Weight } from "./ops.ts";

/**
 * An `Ops` over another whose `linear`, `matmul`, `matmulInto` and `linearCrossEntropy` round both inputs to bf16, to nearest even, and sum in f32. All else stays f32, as
 * in mixed-precision training with master weights (Micikevicius et al. 2018; with bf16, Kalamkar et al. 2019). Under a tape,
 * `new Tape(bf16Linears(ops))`, the products of backward are rounded in the same way; `bf16Linears(tape.ops)` rounds forward alone.
 */
export function bf16Linears(base: Ops): Ops {
  const toBf16 = (weight: Weight) => (weight.dtype === "bf16" ? weight : base.cast(weight, { dtype: "bf16" }));
  const round = (x: F32) => base.cast(base.cast(x, { dtype: "bf16" }), { dtype: "f32" });
  const products: Pick<Ops, "linear" | "matmul" | "matmulInto"> = {
    linear: (x, weight) => x.device.scoped("linear in bf16", () => base.linear(round(x), toBf16(weight))) as never,
    matmul: (a, b, options) =>
      a.device.scoped("matmul in bf16", () => base.matmul(round(a), toBf16(b) as never, options)) as never,
    matmulInto(target, a, b, options) {
      using _ = a.device.scope("matmul in bf16");
      base.matmulInto(target, round(a), toBf16(b), options);
    },
  };
  // Over a tape, where forward alone is rounded, the loss is recorded as the two operations that it is made of.
  const losses = base.records ? { linearCrossEntropy: lossOfLogits(base, products) } : linearLossesOver(products);
  return { ...base, ...products, ...losses };
}

import type { StepRecord } from "@lethe/autograd";
import type { F32, Ops } from "@lethe/tensor";

/** An epoch's mean loss below this prints as 0.0000, which is where the released code of Hong et al. 2024 ends NPO and DPO. */
const zeroLoss = 5e-5;

/** −(2/β) · mean log σ(β · margin), what DPO, NPO and SimNPO share: it falls to 0 as the margins `[B]` of the sequences grow. */
export function preferenceLoss(ops: Ops, margin: F32, beta: number): F32 {
  const likelihood = ops.unary(ops.affine(margin, { factor: beta }), { kind: "logSigmoid" });
  return ops.affine(ops.mean(likelihood), { factor: -2 / beta });
}

/** Whether an epoch's mean loss is 0 to four digits, where nothing is left to learn. */
export function isAtZero(epoch: readonly StepRecord[]): boolean {
  return epoch.reduce((sum, { loss }) => sum + loss, 0) / epoch.length < zeroLoss;
}

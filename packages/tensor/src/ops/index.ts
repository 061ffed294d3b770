import { attendWithPattern, attention, attentionBackward, attentionForward, attentionPattern } from "./attention.ts";
import { crossEntropy, crossEntropyBackward } from "./cross-entropy.ts";
import { add, addInto, affine, clamp, clampBackward, div, mul, sub, sumTo } from "./elementwise.ts";
import { offerFused } from "./fused/fused-ops.ts";
import { fusedKernels } from "./fused/kernels.ts";
import { klDivergence, klDivergenceBackward } from "./kl-divergence.ts";
import { writeCache } from "./kv-cache.ts";
import { cast, concat, permute, reshape, slice, sliceBackward } from "./layout.ts";
import { linearCrossEntropy, linearCrossEntropyBackward, linearCrossEntropyForward } from "./linear-cross-entropy.ts";
import { effectiveWeight, linear, matmul, matmulInto } from "./matmul.ts";
import { mse, mseBackward } from "./mse.ts";
import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from "./norm.ts";
import type { Ops } from "./ops.ts";
import { expand, max, maxBackward, mean, sum } from "./reduce.ts";
import { rope } from "./rope.ts";
import { embedding, gatherRows, scatterRows, scatterRowsInto } from "./rows.ts";
import { argmax, topK } from "./select.ts";
import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "./softmax.ts";
import { swiglu, swigluBackward } from "./swiglu.ts";
import { unary, unaryBackward } from "./unary.ts";

export {
  type AdafactorMove,
  type AdafactorOptions,
  adafactorScratch,
  adafactorShapes,
  adafactorStep,
  beginAdafactorStep,
} from "./adafactor.ts";
export { type AdamWOptions, adamwStep } from "./adamw.ts";
export { type AdamW8bitOptions, adamw8bitStep, type Moment8bit, zeroMoment8bit } from "./adamw-8bit.ts";
export * from "./attention.ts";
export { bf16Linears } from "./bf16-linears.ts";
export { type Counts, countCalls } from "./counting.ts";
export { crossEntropy, crossEntropyBackward } from "./cross-entropy.ts";
export { add, addInto, affine, clamp, clampBackward, div, mul, sub, sumTo } from "./elementwise.ts";
export { type FusedOps, fusedOf, type NormFirst, offerFused, type SelfAttentionParts } from "./fused/fused-ops.ts";
export { GlobalNorm, type NormPart, type Norms } from "./global-norm.ts";
export * from "./kl-divergence.ts";
export * from "./kv-cache.ts";
export * from "./layout.ts";
export { linearCrossEntropy, linearCrossEntropyBackward, linearCrossEntropyForward } from "./linear-cross-entropy.ts";
export * from "./matmul.ts";
export type { MatmulKernel } from "./matmul-plan.ts";
export { mixedOps } from "./mixed-ops.ts";
export * from "./mse.ts";
export * from "./norm.ts";
export type {
  AttentionOptions,
  BackwardOps,
  DifferentiableOps,
  F32,
  OpName,
  Ops,
  Reduction,
  UnaryKind,
  Weight,
} from "./ops.ts";
export { fillInto, full, randomNormal, randomUniform, zeros } from "./random.ts";
export { expand, max, maxBackward, mean, sum, sumOfSquares, sumOfSquaresInto } from "./reduce.ts";
export * from "./rope.ts";
export { roundInto } from "./round-into.ts";
export * from "./rows.ts";
export * from "./select.ts";
export * from "./softmax.ts";
export * from "./swiglu.ts";
export * from "./unary.ts";
export { type OpsFunction, wrapOps } from "./wrap.ts";

/** The operations that run kernels. */
export const ops: Ops = {
  records: false,
  matmul,
  linear,
  embedding,
  rmsNorm,
  layerNorm,
  rope,
  attention,
  attentionPattern,
  attendWithPattern,
  swiglu,
  add,
  sub,
  mul,
  div,
  affine,
  unary,
  clamp,
  softmax,
  logSoftmax,
  crossEntropy,
  linearCrossEntropy,
  klDivergence,
  mse,
  gatherRows,
  scatterRows,
  sum,
  mean,
  max,
  reshape,
  permute,
  slice,
  concat,
  cast,
  attentionForward,
  attentionBackward,
  rmsNormBackward,
  layerNormBackward,
  swigluBackward,
  unaryBackward,
  clampBackward,
  softmaxBackward,
  logSoftmaxBackward,
  crossEntropyBackward,
  linearCrossEntropyForward,
  linearCrossEntropyBackward,
  klDivergenceBackward,
  mseBackward,
  maxBackward,
  sliceBackward,
  expand,
  sumTo,
  addInto,
  matmulInto,
  scatterRowsInto,
  writeCache,
  argmax,
  topK,
  effectiveWeight,
};

offerFused(ops, fusedKernels);

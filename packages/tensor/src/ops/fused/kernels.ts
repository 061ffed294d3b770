import { linear } from "../matmul.ts";
import { runLinear } from "../matmul-run.ts";
import type { F32 } from "../ops.ts";
import { linearFew } from "./few-rows.ts";
import type { FusedOps } from "./fused-ops.ts";
import { gatedLinear, gatedLinearBackward, gatedLinearForward } from "./gated-linear.ts";
import { normalized } from "./joint.ts";
import { selfAttention, selfAttentionBackward, selfAttentionForward } from "./self-attention.ts";
import { linearSeveral } from "./several-rows.ts";

/** The fused operations that run kernels. */
export const fusedKernels: FusedOps = {
  selfAttention,
  selfAttentionForward,
  selfAttentionBackward,
  gatedLinear,
  gatedLinearForward,
  gatedLinearBackward,
  linearAdd: (x, weight, residual) =>
    linearFew(x, weight, { addend: residual }) ?? runLinear("linearAdd", x, weight, residual),
  normLinear: (x, normWeight, weight, { norm }) =>
    linearFew(x, weight, { norm, normWeight }) ??
    linearSeveral(x, weight, { norm, normWeight }) ??
    x.device.scoped("normLinear", () => linear(normalized(x, normWeight, norm), weight as never) as F32),
};

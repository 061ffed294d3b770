import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { attentionBackward, attentionForward } from "../attention.ts";
import { writeCache } from "../kv-cache.ts";
import { linear } from "../matmul.ts";
import type { F32 } from "../ops.ts";
import { linearFew } from "./few-rows.ts";
import type { FusedOps } from "./fused-ops.ts";
import { jointWeight, normalized } from "./joint.ts";
import { rotateHeads, rotateHeadsBackward } from "./rotate-heads.ts";
import { linearSeveral } from "./several-rows.ts";

/** {@inheritDoc FusedOps.selfAttention} */
export const selfAttention: FusedOps["selfAttention"] = (
  x,
  normWeight,
  query,
  key,
  value,
  table,
  positions,
  { norm, heads, groups, starts, cache },
) =>
  x.device.scoped("selfAttention", () => {
    const weight = jointWeight("selfAttention", [query, key, value]);
    const few = linearFew(x, weight, { norm, normWeight }) ?? linearSeveral(x, weight, { norm, normWeight });
    const joint: F32 = few ?? (linear(normalized(x, normWeight, norm), weight as never) as F32);
    const sizes = { heads, groups };
    const where = starts && { starts };
    if (!cache) {
      const { q, k, v } = rotateHeads(joint, table, positions, sizes);
      return attentionForward(q, k, v, { ...where }).output;
    }
    const { keys, values, at } = cache;
    const { maxBindingBytes } = x.device.capabilities;
    const bound = keys.bytes <= maxBindingBytes && joint.bytes <= maxBindingBytes;
    const { q, k, v } = rotateHeads(joint, table, positions, sizes, bound ? cache : undefined);
    if (!bound) {
      writeCache(keys, k, { at });
      writeCache(values, v, { at });
    }
    return attentionForward(q, keys, values, { ...where, length: at + x.shape[1]! }).output;
  });

/** {@inheritDoc FusedOps.selfAttentionForward} */
export const selfAttentionForward: FusedOps["selfAttentionForward"] = (
  x,
  normWeight,
  query,
  key,
  value,
  table,
  positions,
  { norm, heads, groups, starts },
) => {
  const weight = jointWeight("selfAttention", [query, key, value]);
  const input = normalized(x, normWeight, norm);
  const joint = linear(input, weight as never) as F32;
  const { q, k, v } = rotateHeads(joint, table, positions, { heads, groups });
  return { ...attentionForward(q, k, v, starts && { starts }), input, q, k, v };
};

/** {@inheritDoc FusedOps.selfAttentionBackward} */
export const selfAttentionBackward = (
  { q, k, v, output, logSumExp }: Parameters<FusedOps["selfAttentionBackward"]>[0],
  table: F32,
  positions: Tensor<Shape, "u32">,
  gradient: F32,
  { starts }: { readonly starts?: Tensor<Shape, "u32"> },
): F32 =>
  q.device.scoped("selfAttentionBackward", () => {
    const to = attentionBackward(q, k, v, output, logSumExp, gradient, starts && { starts });
    return rotateHeadsBackward(to, table, positions);
  });

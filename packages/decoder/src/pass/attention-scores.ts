import type { F32 } from "@lethe/tensor";
import type { Pass } from "./pass.ts";

/** A number that no score reaches, and that is finite. */
const LOWEST = -3e38;

/**
 * The scores of attention before its softmax, q·k / √D, `[B, H, T, S]`: −∞ where a query does not see a key. The fused kernels never store
 * them; this is for hooks.
 * @param q `[B, T, H, D]`, rotated
 * @param k `[B, C, G, D]`, rotated, with S of its C keys in use
 */
export function attentionScores({ ops, batch }: Pass, q: F32, k: F32, keys: number): F32 {
  const [sequences = 0, queries = 0, heads = 0, width = 0] = q.shape;
  const groups = k.shape[2]!;
  // The query heads of a group lie next to each other: one product for each key head.
  const byGroup = ops.reshape(ops.permute(q, { axes: [0, 2, 1, 3] }), {
    shape: [sequences, groups, (heads / groups) * queries, width],
  });
  const used = keys === k.shape[1] ? k : ops.slice(k, { axis: 1, start: 0, end: keys });
  const products: F32 = ops.matmul(byGroup, ops.permute(used, { axes: [0, 2, 1, 3] }), { transposeB: true });
  const scores = ops.affine(products, { factor: 1 / Math.sqrt(width) });
  const mask = new Float32Array(sequences * queries * keys);
  for (const [b, { start }] of batch.sequences.entries())
    for (let t = 0; t < queries; t++)
      for (let s = 0; s < keys; s++)
        if (s < start || s > keys - queries + t) mask[(b * queries + t) * keys + s] = -Infinity;
  const hidden = q.device.tensor(mask, [sequences, 1, queries, keys], "f32", "attention mask");
  return ops.add(ops.reshape(scores, { shape: [sequences, heads, queries, keys] }) as F32, hidden);
}

/** The pattern of attention from its scores: their softmax, and zeros in a row that has nothing above −∞, such as one of padding. */
export function patternOf({ ops }: Pass, scores: F32): F32 {
  const limits = { min: LOWEST, max: -LOWEST };
  const largest = ops.clamp(ops.max(scores, { axis: 3, keepDims: true }), limits);
  const powers: F32 = ops.unary(ops.sub(scores, largest), { kind: "exp" });
  const sum = ops.sum(powers, { axis: 3, keepDims: true });
  // The largest score of a row that has one adds 1.
  return ops.div(powers, ops.clamp(sum, { min: 0.5, max: -LOWEST }));
}

import { attendWithPattern, attentionPattern, type F32, ops as kernels, type Weight, writeCache } from "@lethe/tensor";
import { ModelUseError } from "./errors.ts";
import type { Pass } from "./pass.ts";

/** Sizes of an attention sub-layer. */
export interface HeadShape {
  /** Query heads, H. */
  readonly heads: number;
  /** Key heads, G: H for multi-head, 1 for multi-query attention. */
  readonly groups: number;
  /** Width of a head, D. */
  readonly width: number;
}

/** Projections of an attention sub-layer, as Hugging Face stores them: `[out, in]`. */
export interface AttentionWeights {
  readonly query: Weight;
  readonly key: Weight;
  readonly value: Weight;
  readonly output: Weight;
}

/**
 * The attention sub-layer, from the residual stream to the attention state A.
 * @param x residual stream `[B, T, d]`
 * @param norm what normalises it first
 */
export function attentionState(
  pass: Pass,
  layer: number,
  x: F32,
  norm: (x: F32) => F32,
  weights: AttentionWeights,
  shape: HeadShape,
): F32 {
  const compute = () => {
    const z = mixedValues(pass, layer, norm(x), weights, shape);
    const [batch = 0, length = 0] = x.shape;
    const flat = pass.ops.reshape(z, { shape: [batch, length, shape.heads * shape.width] });
    return pass.ops.linear(flat, weights.output);
  };
  const { hooks, cache } = pass;
  return pass.scoped("attention", () =>
    // With a cache, keys and values must be written even where A itself is replaced.
    cache
      ? hooks.at("A", layer, compute())
      : hooks.produce("A", layer, x.shape, ["ln1", "q", "k", "v", "pattern", "z"], compute),
  );
}

/** Values mixed by each head, z `[B, T, H, D]`. */
function mixedValues(pass: Pass, layer: number, x: F32, weights: AttentionWeights, shape: HeadShape): F32 {
  const { ops, hooks, batch, cache, rotary } = pass;
  const { heads, groups, width } = shape;
  const [sequences = 0, length = 0] = x.shape;
  const wantsPattern = hooks.wants("pattern", layer);
  if (ops !== kernels && (cache || wantsPattern))
    throw new ModelUseError(
      `attention of layer ${layer}: ${cache ? "a KV cache" : "a hook on the attention pattern"} goes past \`ops\`, so no gradient would come back through it; leave out one of the two`,
    );
  const project = (weight: Weight, count: number) =>
    ops.reshape(ops.linear(x, weight), { shape: [sequences, length, count, width] });
  const q = ops.rope(hooks.at("q", layer, project(weights.query, heads)), rotary, batch.positions);
  const newKeys = ops.rope(hooks.at("k", layer, project(weights.key, groups)), rotary, batch.positions);
  const newValues = hooks.at("v", layer, project(weights.value, groups));
  const [k, v] = cache ? [cache.keys[layer]!, cache.values[layer]!] : [newKeys, newValues];
  if (cache) {
    writeCache(k, newKeys, { at: cache.length });
    writeCache(v, newValues, { at: cache.length });
  }
  const options = { starts: batch.starts, length: cache ? cache.length + length : length };
  if (!wantsPattern) return hooks.at("z", layer, ops.attention(q, k, v, options));
  const pattern = hooks.at("pattern", layer, attentionPattern(q, k, options));
  return hooks.at("z", layer, attendWithPattern(pattern, v));
}

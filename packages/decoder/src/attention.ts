import type { F32 } from "@lethe/tensor";
import { type Linear, linear } from "./linear.ts";
import { type Norm, normalize, normalizeAt } from "./norm.ts";
import type { Pass } from "./pass.ts";

/** An attention sub-layer. */
export interface Attention {
  /** Query heads, H. */
  readonly heads: number;
  /** Key heads, G: H for multi-head, 1 for multi-query attention. */
  readonly groups: number;
  /** Width of a head, D. */
  readonly width: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Of what comes in. */
  readonly normBefore?: Norm;
  /** Of what goes out, before it is added to the residual stream. */
  readonly normAfter?: Norm;
  /** Of all queries of a token together, and of all its keys (QK-norm, OLMo-2). */
  readonly normQuery?: Norm;
  readonly normKey?: Norm;
  /** Queries, keys and values are limited to this absolute value (OLMo-1's `clip_qkv`). */
  readonly clip?: number | undefined;
}

/**
 * The attention sub-layer, from the residual stream to the attention state A.
 * @param x residual stream `[B, T, d]`
 */
export function attentionState(pass: Pass, layer: number, x: F32, attention: Attention): F32 {
  const { hooks, cache } = pass;
  const { heads, width, normBefore, normAfter } = attention;
  const compute = () => {
    const input = normBefore ? normalizeAt(pass, "ln1", layer, x, normBefore) : x;
    const z = mixedValues(pass, layer, input, attention);
    const [batch = 0, length = 0] = x.shape;
    const flat = pass.ops.reshape(z, { shape: [batch, length, heads * width] });
    const out = linear(pass, flat, attention.output);
    return normAfter ? normalize(pass, hooks.at("A_before_norm", layer, out), normAfter) : out;
  };
  return pass.scoped("attention", () =>
    // With a cache, keys and values must be written even where A itself is replaced.
    cache
      ? hooks.at("A", layer, compute())
      : hooks.produce("A", layer, x.shape, ["ln1", "q", "k", "v", "pattern", "z", "A_before_norm"], compute),
  );
}

/** Values mixed by each head, z `[B, T, H, D]`. */
function mixedValues(pass: Pass, layer: number, x: F32, attention: Attention): F32 {
  const { ops, hooks, batch, cache, rotary } = pass;
  const { heads, groups, width, clip } = attention;
  const [sequences = 0, length = 0] = x.shape;
  const project = (by: Linear, norm: Norm | undefined, count: number) => {
    const plain = linear(pass, x, by);
    const normalized = norm ? normalize(pass, plain, norm) : plain;
    const clipped = clip === undefined ? normalized : ops.clamp(normalized, { min: -clip, max: clip });
    return ops.reshape(clipped, { shape: [sequences, length, count, width] });
  };
  const q = ops.rope(
    hooks.at("q", layer, project(attention.query, attention.normQuery, heads)),
    rotary,
    batch.positions,
  );
  const newKeys = ops.rope(
    hooks.at("k", layer, project(attention.key, attention.normKey, groups)),
    rotary,
    batch.positions,
  );
  const newValues = hooks.at("v", layer, project(attention.value, undefined, groups));
  const [k, v] = cache ? [cache.keys[layer]!, cache.values[layer]!] : [newKeys, newValues];
  if (cache) {
    ops.writeCache(k, newKeys, { at: cache.length });
    ops.writeCache(v, newValues, { at: cache.length });
  }
  const options = { starts: batch.starts, length: cache ? cache.length + length : length };
  if (!hooks.wants("pattern", layer)) return hooks.at("z", layer, ops.attention(q, k, v, options));
  const pattern = hooks.at("pattern", layer, ops.attentionPattern(q, k, options));
  return hooks.at("z", layer, ops.attendWithPattern(pattern, v));
}

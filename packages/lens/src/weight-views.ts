import type { Decoder } from "@lethe/decoder";
import { cast, type F32, gatherRows, LetheError, permute, reshape, type Weight } from "@lethe/tensor";
import { checked } from "@lethe/tensor/checked";
import { decoder } from "./kinds.ts";

/**
 * A model's weights by TransformerLens's names and in its shapes, which multiply from the right: x W. Each is a copy in f32 that belongs
 * to the innermost open scope, or to the caller. They are the weights of the checkpoint: no norm is folded into them.
 */
export interface WeightViews {
  /** Queries of each head `[H, d, D]`. */
  W_Q(layer: number): F32;
  /** Keys `[H, d, D]`. Query heads that share a key head have the same. */
  W_K(layer: number): F32;
  /** Values of attention `[H, d, D]`, shared like keys. They are not the value vectors of the MLP, the site `W_V`. */
  W_V(layer: number): F32;
  /** Outputs `[H, D, d]`. */
  W_O(layer: number): F32;
  /** Embeddings `[V, d]`. */
  W_E(): F32;
  /** Unembedding `[d, V]`. */
  W_U(): F32;
}

/** Gives the weights of a model as TransformerLens does. @function */
export const weightViews = checked("weightViews", { model: decoder }, (model: Decoder): WeightViews => {
  const { device, modules, config } = model;
  const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: width, hidden_size: d } = config;
  const copy = (what: string, work: () => F32) => device.scoped(what, work);
  const attention = (layer: number) => {
    const block = modules.blocks[layer];
    if (!block)
      throw new LetheError(`weightViews: ${model.label} has layers 0 to ${modules.blocks.length - 1}, not ${layer}`);
    return block.attention;
  };
  /** `[count·D, d]` as `[H, d, D]`. */
  const byHead = (weight: Weight, count: number) => {
    const own = permute(reshape(wide(weight), { shape: [count, width, d] }), { axes: [0, 2, 1] });
    if (count === heads) return own;
    const shared = Array.from({ length: heads }, (_, head) => Math.floor((head * groups) / heads));
    return gatherRows(own, device.tensor(shared, [heads], "u32", "key heads"));
  };
  return {
    W_Q: (layer) => copy("W_Q", () => byHead(attention(layer).query.weight, heads)),
    W_K: (layer) => copy("W_K", () => byHead(attention(layer).key.weight, groups)),
    W_V: (layer) => copy("W_V", () => byHead(attention(layer).value.weight, groups)),
    W_O: (layer) =>
      copy("W_O", () =>
        permute(reshape(wide(attention(layer).output.weight), { shape: [d, heads, width] }), { axes: [1, 2, 0] }),
      ),
    W_E: () => copy("W_E", () => permute(wide(modules.embedding), { axes: [0, 1] })),
    W_U: () => copy("W_U", () => permute(wide(modules.unembedding), { axes: [1, 0] })),
  };
});

/** A weight in f32. */
export function wide(weight: Weight): F32 {
  return weight.dtype === "f32" ? (weight as F32) : cast(weight, { dtype: "f32" });
}

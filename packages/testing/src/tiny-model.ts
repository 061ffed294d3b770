import type { F32, Ops, Shape, Tensor } from "@lethe/tensor";
import { integer, normal } from "./random.ts";
import { sizeOf } from "./reference/broadcast.ts";

/** Two LLaMA-like blocks, as small as they come: grouped attention, padding on the left, untied unembedding. */
export const config = { vocabulary: 11, width: 8, heads: 2, groups: 1, headWidth: 4, hidden: 12, layers: 2 };

const batch = { sequences: 2, columns: 5, starts: [0, 2] };

export interface Values {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly dtype: "f32" | "u32" | "i32";
}

/** Fresh random parameters, under Hugging Face's names. */
export function parameters(): Record<string, Values> {
  const { vocabulary, width, heads, groups, headWidth, hidden, layers } = config;
  const matrix = (...shape: number[]): Values => ({ shape, values: normal(sizeOf(shape), 0.4), dtype: "f32" });
  const gain = (size: number): Values => ({ shape: [size], values: normal(size, 0.2).map((v) => 1 + v), dtype: "f32" });
  const blocks = Array.from({ length: layers }, (_, layer) =>
    Object.entries({
      "input_layernorm.weight": gain(width),
      "self_attn.q_proj.weight": matrix(heads * headWidth, width),
      "self_attn.k_proj.weight": matrix(groups * headWidth, width),
      "self_attn.v_proj.weight": matrix(groups * headWidth, width),
      "self_attn.o_proj.weight": matrix(width, heads * headWidth),
      "post_attention_layernorm.weight": gain(width),
      "mlp.gate_proj.weight": matrix(hidden, width),
      "mlp.up_proj.weight": matrix(hidden, width),
      "mlp.down_proj.weight": matrix(width, hidden),
    }).map(([name, value]) => [`model.layers.${layer}.${name}`, value] as const),
  );
  return Object.fromEntries([
    ["model.embed_tokens.weight", matrix(vocabulary, width)],
    ...blocks.flat(),
    ["model.norm.weight", gain(width)],
    ["lm_head.weight", matrix(vocabulary, width)],
  ]);
}

/** A fresh padded batch: token ids, positions, starts, a rotary table and next-token labels. */
export function inputs(): Record<"ids" | "positions" | "starts" | "table" | "labels", Values> {
  const { sequences, columns, starts } = batch;
  const shape = [sequences, columns];
  const ids = Array.from({ length: sequences * columns }, () => integer(0, config.vocabulary - 1));
  const place = (i: number) => ({ column: i % columns, start: starts[Math.floor(i / columns)]! });
  const positions = ids.map((_, i) => Math.max(0, place(i).column - place(i).start));
  const labels = ids.map((_, i) =>
    place(i).column >= place(i).start && place(i).column < columns - 1 ? ids[i + 1]! : -100,
  );
  const half = config.headWidth / 2;
  const angles = Array.from({ length: columns }, (_, p) => Array.from({ length: half }, (_, i) => p * 0.3 ** i));
  const table = angles.flatMap((row) => [...row.map(Math.cos), ...row.map(Math.sin)]).map(Math.fround);
  return {
    ids: { shape, values: ids, dtype: "u32" },
    positions: { shape, values: positions, dtype: "u32" },
    starts: { shape: [sequences], values: starts, dtype: "u32" },
    table: { shape: [columns, config.headWidth], values: table, dtype: "f32" },
    labels: { shape, values: labels, dtype: "i32" },
  };
}

/** Mean next-token loss. `wrapBlock` runs each block in the caller's way, as a decoder's forward pass lets it. */
export function lossOf(
  ops: Ops,
  weights: Readonly<Record<string, Tensor>>,
  given: Readonly<Record<keyof ReturnType<typeof inputs>, Tensor>>,
  wrapBlock = (x: F32, run: (x: F32) => F32) => run(x),
): F32 {
  const { width, heads, groups, headWidth, layers } = config;
  const { sequences, columns } = batch;
  const weight = (name: string) => weights[name] as F32;
  const [ids, positions, starts] = [given.ids, given.positions, given.starts] as Tensor<Shape, "u32">[];
  const norm = (x: F32, name: string) => ops.rmsNorm(x, weight(name), { eps: 1e-5 });
  let x = ops.embedding(weight("model.embed_tokens.weight"), ids!) as F32;
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}.weight`;
    x = wrapBlock(x, (resid) => {
      const a = norm(resid, at("input_layernorm"));
      const project = (name: string, count: number) =>
        ops.reshape(ops.linear(a, weight(at(`self_attn.${name}`))) as F32, {
          shape: [sequences, columns, count, headWidth],
        }) as F32;
      const turn = (y: F32) => ops.rope(y, given.table as F32, positions!);
      const [q, k, v] = [turn(project("q_proj", heads)), turn(project("k_proj", groups)), project("v_proj", groups)];
      const z = ops.reshape(ops.attention(q, k, v, { starts: starts! }), { shape: [sequences, columns, width] });
      const middle = ops.add(resid, ops.linear(z as F32, weight(at("self_attn.o_proj"))) as F32);
      const b = norm(middle, at("post_attention_layernorm"));
      const gate = ops.linear(b, weight(at("mlp.gate_proj"))) as F32;
      const m = ops.swiglu(gate, ops.linear(b, weight(at("mlp.up_proj"))) as F32);
      return ops.add(middle, ops.linear(m, weight(at("mlp.down_proj"))) as F32);
    });
  }
  const logits = ops.linear(norm(x, "model.norm.weight"), weight("lm_head.weight")) as F32;
  return ops.crossEntropy(logits, given.labels as Tensor<Shape, "i32">, { reduction: "mean" });
}

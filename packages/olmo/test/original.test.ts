import { ConfigError, modules } from "@lethe/decoder";
import { encodeSafetensors, fromFloat32 } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import { loadOlmo, olmoConfig } from "../src/index.ts";

const device = await testDevice();

/** A `config.json` in the original form. */
const original = {
  model_type: "hf_olmo",
  architectures: ["OLMoForCausalLM"],
  d_model: 8,
  n_heads: 2,
  n_layers: 1,
  mlp_ratio: 3,
  mlp_hidden_size: null,
  vocab_size: 10,
  embedding_size: 12,
  max_sequence_length: 64,
  weight_tying: false,
  rope: true,
  alibi: false,
  include_bias: false,
  bias_for_layer_norm: false,
  layer_norm_type: "low_precision",
  layer_norm_with_affine: false,
  activation_type: "swiglu",
  block_type: "sequential",
  clip_qkv: 8,
  eos_token_id: 9,
  pad_token_id: 1,
};

const configOf = (fields: object) => olmoConfig({ ...original, ...fields } as never);

test("fields of the original form become those of transformers", () => {
  expect(configOf({})).toMatchObject({
    model_type: "olmo",
    hidden_size: 8,
    // mlp_ratio 3: gate and up together are three times as wide as the model.
    intermediate_size: 12,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    vocab_size: 12,
    max_position_embeddings: 64,
    tie_word_embeddings: false,
    clip_qkv: 8,
    eos_token_id: 9,
  });
  expect(configOf({ mlp_hidden_size: 44 }).intermediate_size).toBe(22);
  expect(configOf({ multi_query_attention: true }).num_key_value_heads).toBe(1);
  expect(configOf({ n_kv_heads: 1 }).num_key_value_heads).toBe(1);
  expect(configOf({ embedding_size: null }).vocab_size).toBe(10);
  expect(configOf({ clip_qkv: null, weight_tying: undefined })).toMatchObject({
    clip_qkv: null,
    tie_word_embeddings: true,
  });
});

test("one error lists every wrong or unsupported field", () => {
  const asked = { alibi: true, rope: undefined, layer_norm_with_affine: true, block_type: "llama", d_model: "wide" };
  const error = (() => {
    try {
      return configOf(asked);
    } catch (error) {
      return error as Error;
    }
  })();
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toMatchInlineSnapshot(`
    "config:
      rope is missing, which means false, which is not supported; expected true
      layer_norm_with_affine is true, which is not supported; expected false
      block_type is "llama", which is not supported; expected "sequential"
      alibi is true, which is not supported; expected false
      d_model is "wide": invalid input: expected number, received string"
  `);
});

test("fused projections are split in the right order, and the model is an olmo", async () => {
  // Each row of a tensor holds one number, so that rows can be told apart.
  const rows = (first: number, count: number, width: number) =>
    Float32Array.from({ length: count * width }, (_, i) => first + Math.floor(i / width));
  const tensor = (name: string, first: number, count: number, width: number) => ({
    name: `model.transformer.${name}.weight`,
    dtype: "F32" as const,
    shape: [count, width],
    data: fromFloat32(rows(first, count, width), "F32"),
  });
  const weights = encodeSafetensors([
    tensor("wte", 0, 12, 8),
    tensor("blocks.0.att_proj", 100, 16, 8),
    tensor("blocks.0.attn_out", 0, 8, 8),
    tensor("blocks.0.ff_proj", 200, 24, 8),
    tensor("blocks.0.ff_out", 0, 8, 12),
    tensor("ff_out", 300, 12, 8),
  ]);
  const folder = memoryFolder({ "config.json": { ...original, n_kv_heads: 1 }, "model.safetensors": weights });
  using model = await loadOlmo(device, folder);
  const firstRowOf = async (module: string) => (await model.weights.get(`${module}.weight`)!.read())[0];
  expect(await firstRowOf(modules.query(0))).toBe(100);
  expect(await firstRowOf(modules.key(0))).toBe(108);
  expect(await firstRowOf(modules.value(0))).toBe(112);
  expect(await firstRowOf(modules.up(0))).toBe(200);
  expect(await firstRowOf(modules.gate(0))).toBe(212);
  expect(await firstRowOf(modules.unembedding)).toBe(300);
  expect(model.config.model_type).toBe("olmo");
});

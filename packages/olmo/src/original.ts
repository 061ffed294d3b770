import {
  configError,
  type DecoderConfig,
  type FieldChoices,
  modules,
  schemaProblems,
  unsupportedFields,
  type WeightSource,
  type WeightSources,
} from "@lethe/decoder";
import { z } from "zod";

/**
 * `config.json` in the form in which OLMo-1 was first published (`hf_olmo`). Fields and tensors have other names, and projections of
 * the same input are fused into one tensor. Once it is loaded, such a model is an `olmo`.
 */
const schema = z
  .object({
    d_model: z.int().positive(),
    n_heads: z.int().positive(),
    n_kv_heads: z.int().positive().nullish(),
    multi_query_attention: z.boolean().nullish(),
    n_layers: z.int().positive(),
    mlp_ratio: z.number().positive().default(4),
    mlp_hidden_size: z.int().positive().nullish(),
    vocab_size: z.int().positive(),
    embedding_size: z.int().positive().nullish(),
    max_sequence_length: z.int().positive().default(1024),
    rope_theta: z.number().positive().nullish(),
    weight_tying: z.boolean().default(true),
    clip_qkv: z.number().positive().nullish(),
  })
  .loose();

/** Fields that change the result, and what a missing field means to `hf_olmo`. */
const choices: FieldChoices = {
  rope: { supported: [true], missing: false },
  layer_norm_with_affine: { supported: [false], missing: true },
  include_bias: { supported: [false], missing: true },
  bias_for_layer_norm: { supported: [false, null], missing: null },
  layer_norm_type: { supported: ["default", "low_precision"] },
  layer_norm_eps: { supported: [1e-5] },
  block_type: { supported: ["sequential"] },
  block_group_size: { supported: [1] },
  activation_type: { supported: ["swiglu"] },
  alibi: { supported: [false] },
  attention_layer_norm: { supported: [false] },
  embedding_layer_norm: { supported: [false] },
  norm_after: { supported: [false] },
  scale_logits: { supported: [false] },
};

/** Whether a `config.json` has the original form. */
export function isOriginal(raw: { readonly model_type?: unknown }): boolean {
  // Some original files have the model_type `olmo` too.
  return "d_model" in raw || raw.model_type === "hf_olmo";
}

/**
 * Turns an original `config.json` into one of `transformers`.
 * @throws {ConfigError} that names every field that is wrong or not supported
 */
export function fromOriginal(raw: object, where = "config"): object {
  const fields = raw as Readonly<Record<string, unknown>>;
  const problems = [...unsupportedFields(fields, choices)];
  const parsed = schema.safeParse(raw);
  if (parsed.error) problems.push(...schemaProblems(parsed.error, raw));
  if (problems.length > 0 || !parsed.data) throw configError(where, problems);
  const { data } = parsed;
  const groups = data.n_kv_heads ?? (data.multi_query_attention ? 1 : data.n_heads);
  const optional = (name: string, value: unknown) => (value === undefined || value === null ? {} : { [name]: value });
  return {
    // The original gives one width for the gate and the up projection together.
    intermediate_size: (data.mlp_hidden_size ?? data.mlp_ratio * data.d_model) / 2,
    vocab_size: data.embedding_size ?? data.vocab_size,
    hidden_size: data.d_model,
    num_hidden_layers: data.n_layers,
    num_attention_heads: data.n_heads,
    num_key_value_heads: groups,
    max_position_embeddings: data.max_sequence_length,
    tie_word_embeddings: data.weight_tying,
    clip_qkv: data.clip_qkv ?? null,
    ...optional("rope_theta", data.rope_theta),
    ...optional("bos_token_id", fields.bos_token_id),
    ...optional("eos_token_id", fields.eos_token_id),
    ...optional("pad_token_id", fields.pad_token_id),
    ...optional("quantization_config", fields.quantization_config),
  };
}

/**
 * Where an original checkpoint keeps each weight. `att_proj` holds the projections of queries, keys and values, in this order;
 * `ff_proj` holds the up projection and then the gate.
 */
export function originalSources(config: DecoderConfig): WeightSources {
  const { head_dim: width, num_attention_heads: heads, num_key_value_heads: groups } = config;
  const sources = new Map<string, WeightSource>();
  const put = (module: string, tensor: string, firstRow = 0) =>
    sources.set(`${module}.weight`, { tensor: `model.transformer.${tensor}.weight`, firstRow });
  put(modules.embedding, "wte");
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const block = `blocks.${layer}`;
    put(modules.query(layer), `${block}.att_proj`);
    put(modules.key(layer), `${block}.att_proj`, heads * width);
    put(modules.value(layer), `${block}.att_proj`, (heads + groups) * width);
    put(modules.output(layer), `${block}.attn_out`);
    put(modules.up(layer), `${block}.ff_proj`);
    put(modules.gate(layer), `${block}.ff_proj`, config.intermediate_size);
    put(modules.down(layer), `${block}.ff_out`);
  }
  if (!config.tie_word_embeddings) put(modules.unembedding, "ff_out");
  return sources;
}

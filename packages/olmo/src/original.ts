import { ConfigError, faultsOf, modules, type WeightSource, type WeightSources } from "@lethe/decoder";
import { z } from "zod";
import type { OlmoConfig } from "./config.ts";

/**
 * The form in which OLMo-1 was first published (`hf_olmo`): other names for fields and tensors, and projections of one input fused
 * into one tensor. A model that was read from it is an `olmo` from then on.
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

/** Fields that change the result: what is supported, and what the original takes a field for that is left out. */
const choices: Readonly<Record<string, { readonly fine: readonly unknown[]; readonly otherwise: unknown }>> = {
  rope: { fine: [true], otherwise: false },
  layer_norm_with_affine: { fine: [false], otherwise: true },
  include_bias: { fine: [false], otherwise: true },
  bias_for_layer_norm: { fine: [false, null], otherwise: null },
  layer_norm_type: { fine: ["default", "low_precision"], otherwise: "default" },
  layer_norm_eps: { fine: [1e-5], otherwise: 1e-5 },
  block_type: { fine: ["sequential"], otherwise: "sequential" },
  block_group_size: { fine: [1], otherwise: 1 },
  activation_type: { fine: ["swiglu"], otherwise: "swiglu" },
  alibi: { fine: [false], otherwise: false },
  attention_layer_norm: { fine: [false], otherwise: false },
  embedding_layer_norm: { fine: [false], otherwise: false },
  norm_after: { fine: [false], otherwise: false },
  scale_logits: { fine: [false], otherwise: false },
};

/** Whether `config.json` is of the original form. */
export function isOriginal(raw: { readonly model_type?: unknown }): boolean {
  // The original was once called `olmo` too.
  return "d_model" in raw || raw.model_type === "hf_olmo";
}

/**
 * The fields that `transformers` has for what an original `config.json` says.
 * @throws {ConfigError} naming every field that is wrong, or that asks for what is not supported
 */
export function fromOriginal(raw: object, where = "config"): object {
  const fields = raw as Readonly<Record<string, unknown>>;
  const faults: string[] = [];
  for (const [field, { fine, otherwise }] of Object.entries(choices)) {
    if (fine.includes(fields[field] === undefined ? otherwise : fields[field])) continue;
    const found = fields[field] === undefined ? "is missing, which stands for" : "is";
    const value = JSON.stringify(fields[field] ?? otherwise);
    faults.push(`${field} ${found} ${value}, which is not supported; expected ${JSON.stringify(fine[0])}`);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.error) faults.push(...faultsOf(parsed.error, raw));
  if (faults.length > 0 || !parsed.data) throw new ConfigError(`${where}:\n  ${faults.join("\n  ")}`);
  const { data } = parsed;
  const groups = data.n_kv_heads ?? (data.multi_query_attention ? 1 : data.n_heads);
  const optional = (name: string, value: unknown) => (value === undefined || value === null ? {} : { [name]: value });
  return {
    // The gate and what it multiplies share the width that the original speaks of.
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
 * Where the original keeps each weight. `att_proj` holds queries, keys and values, one after the other; `ff_proj` what the gate
 * multiplies and then the gate.
 */
export function originalSources(config: OlmoConfig): WeightSources {
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

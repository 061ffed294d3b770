import { ConfigError, type DecoderConfig } from "@lethe/decoder";
import { z } from "zod";

const count = z.int().positive();
const tokenId = z.int().nonnegative();

const known = z.object({
  model_type: z.literal("llama").default("llama"),
  architectures: z.array(z.string()).default(["LlamaForCausalLM"]),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  max_position_embeddings: count.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  tie_word_embeddings: z.boolean().default(false),
  hidden_act: z.string().default("silu"),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: z.int().nullish(),
});

const schema = known.loose();

/** `config.json` of a LLaMA, checked, with every default filled in. Fields that change no result are kept as they are. */
export type LlamaConfig = DecoderConfig &
  Omit<z.infer<typeof known>, "num_key_value_heads" | "head_dim" | "rope_theta"> & { readonly rope_theta: number };

/** What {@link llamaConfig} takes: Hugging Face's fields, of which the sizes are required. */
export type LlamaConfigInput = z.input<typeof known>;

/** Fields that change the result when they are other than this, and are not supported so. */
const unsupported: Readonly<Record<string, { readonly fine: readonly unknown[]; readonly expected: string }>> = {
  hidden_act: { fine: ["silu", "swish"], expected: '"silu"' },
  rope_scaling: { fine: [null], expected: "null (no scaling of positions)" },
  attention_bias: { fine: [false], expected: "false" },
  mlp_bias: { fine: [false], expected: "false" },
  quantization_config: { fine: [null], expected: "weights in f32, f16 or bf16" },
  sliding_window: { fine: [null], expected: "null (attention to all that came before)" },
  partial_rotary_factor: { fine: [null, 1], expected: "1" },
  add_cross_attention: { fine: [false], expected: "false" },
  is_encoder_decoder: { fine: [false], expected: "false" },
};

/**
 * Checks what `config.json` says.
 * @throws {ConfigError} naming every field that is wrong, or that asks for what is not supported
 */
export function llamaConfig(raw: LlamaConfigInput, where = "config"): LlamaConfig {
  const faults: string[] = [];
  const architecture = (raw.architectures as unknown as string[] | undefined)?.[0];
  if (architecture !== undefined && architecture !== "LlamaForCausalLM")
    faults.push(`architectures is ["${architecture}"], expected ["LlamaForCausalLM"]`);
  const fields = raw as Readonly<Record<string, unknown>>;
  for (const [field, { fine, expected }] of Object.entries(unsupported)) {
    const value = fields[field];
    if (value !== undefined && !fine.includes(value))
      faults.push(`${field} is ${JSON.stringify(value)}, which is not supported; expected ${expected}`);
  }
  const { theta, kind } = ropeParameters(fields.rope_parameters);
  if (kind !== "default")
    faults.push(`rope_parameters.rope_type is ${JSON.stringify(kind)}, which is not supported; expected "default"`);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const value = JSON.stringify(fields[String(path[0])]);
      faults.push(`${path.join(".")} is ${value ?? "missing"}: ${message.toLowerCase()}`);
    }
  }
  const config = parsed.data;
  if (config && faults.length === 0) {
    const { num_attention_heads: heads, hidden_size: width } = config;
    const groups = config.num_key_value_heads ?? heads;
    const headWidth = config.head_dim ?? width / heads;
    if (heads % groups !== 0)
      faults.push(`num_key_value_heads is ${groups}, which does not divide num_attention_heads ${heads}`);
    if (headWidth % 4 !== 0 || headWidth > 256)
      faults.push(
        `head_dim is ${headWidth} (by default hidden_size / num_attention_heads), expected a multiple of 4 up to 256`,
      );
    if (faults.length === 0)
      return {
        ...config,
        num_key_value_heads: groups,
        head_dim: headWidth,
        rope_theta: theta ?? config.rope_theta ?? 10000,
      };
  }
  throw new ConfigError(`${where}:\n  ${faults.join("\n  ")}`);
}

/**
 * `rope_parameters` is how `transformers` 5 spells `rope_theta` and `rope_scaling`. As there, its base goes before the field
 * `rope_theta`, and its kind may also be called `type`.
 */
function ropeParameters(value: unknown): { readonly theta: number | undefined; readonly kind: unknown } {
  const parameters = (value ?? {}) as { rope_theta?: unknown; rope_type?: unknown; type?: unknown };
  const { rope_theta: theta, type = "default", rope_type: kind = type } = parameters;
  return { theta: typeof theta === "number" ? theta : undefined, kind };
}

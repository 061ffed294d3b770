import { z } from "zod";
import { ConfigError } from "./errors.ts";
import { faultsOf } from "./faults.ts";
import { type RopeFields, readRope } from "./rope.ts";

const count = z.int().positive();
const tokenId = z.int().nonnegative();

/** Fields of `config.json` that every family reads, by Hugging Face's names. */
export const commonFields = z.object({
  architectures: z.array(z.string()).nullish(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  max_position_embeddings: count.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: z.int().nullish(),
});

/** `config.json` of a decoder, checked, with every default filled in. Fields that change no result are kept as they are. */
export type DecoderConfig = Omit<z.infer<typeof commonFields>, "num_key_value_heads" | "head_dim"> &
  RopeFields & {
    readonly model_type: string;
    readonly num_key_value_heads: number;
    readonly head_dim: number;
  };

/** What every family's config takes beside the fields of its schema. */
export type CommonInput = Pick<
  Partial<DecoderConfig>,
  "model_type" | "rope_theta" | "rope_scaling" | "rope_parameters"
>;

/** How a family's `config.json` is checked. */
export interface ConfigRules<S extends z.ZodObject> {
  /** {@link commonFields}, extended by the family's own. */
  readonly schema: S;
  /** What `model_type` is. */
  readonly modelType: string;
  /** What `architectures` holds. */
  readonly architecture: string;
}

/** Fields that change the result when they are other than this, and are not supported so. */
const unsupported: Readonly<Record<string, { readonly fine: readonly unknown[]; readonly expected: string }>> = {
  hidden_act: { fine: ["silu", "swish"], expected: '"silu"' },
  sliding_window: { fine: [null], expected: "null (attention to all that came before)" },
  add_cross_attention: { fine: [false], expected: "false" },
  is_encoder_decoder: { fine: [false], expected: "false" },
};

/** Where checkpoints say that their weights are quantised: `transformers`, and MLX. */
const quantisation = ["quantization_config", "compression_config", "quantization"];

/**
 * Checks what `config.json` says, and fills in what it leaves out.
 * @throws {ConfigError} naming every field that is wrong, or that asks for what is not supported
 */
export function checkConfig<S extends z.ZodObject>(
  raw: object,
  { schema, modelType, architecture }: ConfigRules<S>,
  where = "config",
): z.infer<S> & DecoderConfig {
  const fields = raw as Readonly<Record<string, unknown>>;
  const faults = [...foreign(fields, modelType, architecture), ...unsupportedFields(fields)];
  const parsed = schema.loose().safeParse(raw);
  if (parsed.error) faults.push(...faultsOf(parsed.error, raw));
  if (parsed.data) {
    const data = parsed.data as z.infer<typeof commonFields>;
    const { num_attention_heads: heads, hidden_size: width } = data;
    const groups = data.num_key_value_heads ?? heads;
    const headWidth = data.head_dim ?? width / heads;
    if (heads % groups !== 0)
      faults.push(`num_key_value_heads is ${groups}, which does not divide num_attention_heads ${heads}`);
    if (headWidth % 4 !== 0 || headWidth > 256)
      faults.push(
        `head_dim is ${headWidth} (by default hidden_size / num_attention_heads), expected a multiple of 4 up to 256`,
      );
    const config = { ...data, model_type: modelType, num_key_value_heads: groups, head_dim: headWidth };
    faults.push(...readRope(config).faults);
    if (faults.length === 0) return config as z.infer<S> & DecoderConfig;
  }
  throw new ConfigError(`${where}:\n  ${faults.join("\n  ")}`);
}

function* foreign(fields: Readonly<Record<string, unknown>>, modelType: string, architecture: string) {
  const { model_type: type, architectures } = fields;
  if (type !== undefined && type !== modelType) yield `model_type is ${JSON.stringify(type)}, expected "${modelType}"`;
  const first = Array.isArray(architectures) ? architectures[0] : undefined;
  if (first !== undefined && first !== architecture)
    yield `architectures is ["${first}"], expected ["${architecture}"]`;
}

function* unsupportedFields(fields: Readonly<Record<string, unknown>>) {
  for (const [field, { fine, expected }] of Object.entries(unsupported)) {
    const value = fields[field];
    if (value !== undefined && !fine.includes(value))
      yield `${field} is ${JSON.stringify(value)}, which is not supported; expected ${expected}`;
  }
  for (const field of quantisation) {
    const asked = fields[field] as { quant_method?: unknown } | null | undefined;
    if (asked === undefined || asked === null) continue;
    const method = typeof asked.quant_method === "string" ? ` (${asked.quant_method})` : "";
    yield `${field} says that the weights are quantised${method}, which is not supported; take the checkpoint in f32, f16 or bf16 that this one was made from`;
  }
}

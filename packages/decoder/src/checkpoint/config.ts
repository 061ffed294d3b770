import { quote } from "@lethe/tensor";
import { z } from "zod";
import { configError, schemaProblems } from "../errors.ts";
import { type RopeFields, readRope } from "../pass/rope.ts";

const count = z.int().positive();
/** A token. `transformers` takes an id outside the vocabulary, such as -1, for none. */
const tokenId = z.int();
/** One token, or several. */
export const tokenIds = z.union([tokenId, z.array(tokenId)]).nullish();

/** Fields of `config.json` that every family reads, by Hugging Face's names. */
export const commonFields = z.object({
  architectures: z.array(z.string()).nullish(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  // Ten times as many as the deepest decoder has: what has a name for each layer must end, whatever a file says.
  num_hidden_layers: count.max(10_000),
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  max_position_embeddings: count.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenId.nullish(),
  eos_token_id: tokenIds,
  pad_token_id: tokenId.nullish(),
});

/** A decoder's `config.json`, checked, with every default filled in. Other fields are kept as they are. */
export type DecoderConfig = Omit<z.infer<typeof commonFields>, "num_key_value_heads" | "head_dim"> &
  RopeFields & {
    readonly model_type: string;
    readonly num_key_value_heads: number;
    readonly head_dim: number;
  };

/** Fields that every family's config may have beside those of its schema. */
export type CommonInput = Pick<
  Partial<DecoderConfig>,
  "model_type" | "rope_theta" | "rope_scaling" | "rope_parameters"
>;

/** How a family's `config.json` is checked. */
export interface ConfigRules<S extends z.ZodObject> {
  /** {@link commonFields}, extended by the family's own fields. */
  readonly schema: S;
  /** The expected `model_type`. */
  readonly modelType: string;
  /** What `architectures` may name, without the ending `ForCausalLM` or `Model`, in any case of letters. */
  readonly architecture: string;
}

/** Fields that change the result: the supported values, and what a missing field means. Default: the first supported value. */
export type FieldChoices = Readonly<
  Record<string, { readonly supported: readonly unknown[]; readonly missing?: unknown }>
>;

const choices: FieldChoices = {
  hidden_act: { supported: ["silu", "swish"] },
  add_cross_attention: { supported: [false] },
  is_encoder_decoder: { supported: [false] },
};

/**
 * Checks the fields of `config.json` and fills in the defaults.
 * @throws {ConfigError} that names every field that is wrong or not supported
 */
export function checkConfig<S extends z.ZodObject>(
  raw: object,
  { schema, modelType, architecture }: ConfigRules<S>,
  where = "config",
): z.infer<S> & DecoderConfig {
  const fields = raw as Readonly<Record<string, unknown>>;
  const problems = [
    ...otherFamily(fields, modelType, architecture),
    ...unsupportedFields(fields, choices),
    ...quantisedFields(fields),
  ];
  const parsed = schema.loose().safeParse(raw);
  if (parsed.error) problems.push(...schemaProblems(parsed.error, raw));
  if (parsed.data) {
    const data = parsed.data as z.infer<typeof commonFields>;
    const { num_attention_heads: heads, hidden_size: width } = data;
    const groups = data.num_key_value_heads ?? heads;
    const headWidth = data.head_dim ?? width / heads;
    if (heads % groups !== 0)
      problems.push(`num_key_value_heads is ${groups}, which does not divide num_attention_heads ${heads}`);
    if (headWidth % 4 !== 0 || headWidth > 256)
      problems.push(
        `head_dim is ${headWidth} (by default hidden_size / num_attention_heads), expected a multiple of 4 up to 256`,
      );
    const config = { ...data, model_type: modelType, num_key_value_heads: groups, head_dim: headWidth };
    problems.push(...readRope(config).problems);
    if (problems.length === 0) return config as z.infer<S> & DecoderConfig;
  }
  throw configError(where, problems);
}

function* otherFamily(fields: Readonly<Record<string, unknown>>, modelType: string, architecture: string) {
  const { model_type: type, architectures } = fields;
  if (type !== undefined && type !== modelType) yield `model_type is ${quote(type)}, expected "${modelType}"`;
  const first = Array.isArray(architectures) ? architectures[0] : undefined;
  // Files of the first LLaMA say LLaMAForCausalLM.
  const names = [`${architecture}ForCausalLM`, `${architecture}Model`].map((name) => name.toLowerCase());
  if (typeof first === "string" && !names.includes(first.toLowerCase()))
    yield `architectures is [${quote(first)}], expected ["${architecture}ForCausalLM"]`;
}

/** A line for each field whose value is not supported. */
export function* unsupportedFields(fields: Readonly<Record<string, unknown>>, choices: FieldChoices): Iterable<string> {
  for (const [field, { supported, missing = supported[0] }] of Object.entries(choices)) {
    const given = fields[field];
    const value = given === undefined ? missing : given;
    if (supported.includes(value)) continue;
    const found = given === undefined ? "is missing, which means" : "is";
    yield `${field} ${found} ${quote(value)}, which is not supported; expected ${JSON.stringify(supported[0])}`;
  }
}

/** A line for each field that says that the weights are quantised, in `transformers` or in MLX. */
function* quantisedFields(fields: Readonly<Record<string, unknown>>) {
  for (const field of ["quantization_config", "compression_config", "quantization"]) {
    const value = fields[field] as { quant_method?: unknown } | null | undefined;
    if (value === undefined || value === null) continue;
    const method = typeof value.quant_method === "string" ? ` (${value.quant_method})` : "";
    yield `${field} says that the weights are quantised${method}, which is not supported; use the checkpoint in f32, f16 or bf16 that this one was made from`;
  }
}

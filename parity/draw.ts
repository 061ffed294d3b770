/** Draws random descriptions of small models for `reference.py` (see models.py), from all kinds of model that Lethe reads. */
import { type Random, randomOf } from "@lethe/tensor";

export interface Description {
  readonly name: string;
  readonly seed: number;
  readonly model_type: string;
  readonly dtype: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly spelling: string;
  /** Tokens of each prompt. */
  readonly lengths: readonly number[];
  readonly sharded: true;
}

const families: readonly { readonly model_type: string; readonly spellings: readonly string[] }[] = [
  { model_type: "llama", spellings: ["new", "old", "llama-1"] },
  { model_type: "olmo", spellings: ["new", "old", "hf_olmo", "hf_olmo as olmo"] },
  { model_type: "olmo2", spellings: ["new", "old"] },
];

/** Spellings that have no fields for scaled positions, biases or the width of a head. */
const plain = new Set(["llama-1", "hf_olmo", "hf_olmo as olmo"]);

/** Gives the same description for the same seed and index. */
export function drawDescription(seed: number, index: number): Description {
  const draw = drawFrom(randomOf(seed, "parity", index));
  const family = draw.among(...families);
  const spelling = draw.among(...family.spellings);
  const rope = drawRope(draw, spelling);
  const heads = drawHeads(draw, family.model_type, spelling);
  return {
    name: `${index}-${family.model_type}`,
    seed: draw.integer(0, 2 ** 31 - 1),
    model_type: family.model_type,
    dtype: draw.among("float32", "float16", "bfloat16"),
    config: {
      vocab_size: draw.integer(17, 131),
      intermediate_size: draw.integer(5, 90),
      num_hidden_layers: draw.integer(1, 3),
      ...heads,
      max_position_embeddings: rope.rope_type === "dynamic" ? draw.integer(5, 20) : 64,
      rope_parameters: rope,
      initializer_range: 1.5 / Math.sqrt(heads.hidden_size),
      tie_word_embeddings: draw.chance(0.4),
      bos_token_id: 1,
      eos_token_id: 2,
      pad_token_id: 0,
      ...(family.model_type === "olmo"
        ? { clip_qkv: draw.chance(0.5) ? draw.between(0.2, 1.5) : null }
        : { rms_norm_eps: 10 ** -draw.between(3, 6) }),
    },
    spelling,
    lengths: [draw.integer(2, 17), draw.integer(1, 17), draw.integer(1, 17)],
    sharded: true,
  };
}

/** A description in one line. */
export function labelOf({ model_type, dtype, config, spelling }: Description): string {
  const rope = (config.rope_parameters as { rope_type: string }).rope_type;
  const width = config.head_dim ?? (config.hidden_size as number) / (config.num_attention_heads as number);
  const features = [
    config.tie_word_embeddings && "tied",
    rope !== "default" && rope,
    config.attention_bias && "bias",
    config.mlp_bias && "mlp-bias",
    config.clip_qkv && "clip",
    spelling !== "new" && spelling,
  ].filter(Boolean);
  const sizes = `L${config.num_hidden_layers} d${config.hidden_size} n${config.intermediate_size} V${config.vocab_size}`;
  const heads = `${config.num_attention_heads}/${config.num_key_value_heads}×${width}`;
  return `${model_type} ${sizes} ${heads} ${dtype.replace("float", "f")} ${features.join(" ")}`;
}

type Draw = ReturnType<typeof drawFrom>;

function drawFrom(random: Random) {
  const between = (low: number, high: number) => low + (high - low) * random();
  const integer = (low: number, high: number) => Math.floor(between(low, high + 1));
  return {
    between,
    integer,
    chance: (share: number) => random() < share,
    among: <T>(...choices: readonly T[]): T => choices[integer(0, choices.length - 1)]!,
  };
}

function drawHeads(draw: Draw, family: string, spelling: string) {
  const groups = draw.integer(1, 3);
  const heads = spelling === "llama-1" ? groups : groups * draw.integer(1, 3);
  const width = 4 * draw.integer(1, 5);
  // Only in LLaMA may the width of a head differ from hidden_size / heads.
  const own = family === "llama" && !plain.has(spelling) && draw.chance(0.5);
  return {
    hidden_size: heads * (own ? draw.integer(Math.ceil(12 / heads), 14) : Math.max(width, 4 * Math.ceil(3 / heads))),
    num_attention_heads: heads,
    num_key_value_heads: groups,
    ...(own ? { head_dim: width } : {}),
    attention_bias: !plain.has(spelling) && draw.chance(0.3),
    ...(family === "llama" ? { mlp_bias: !plain.has(spelling) && draw.chance(0.3) } : {}),
  };
}

function drawRope(draw: Draw, spelling: string): { readonly rope_type: string; readonly [field: string]: unknown } {
  // LLaMA-1 had no field for theta; in the original OLMo it is a whole number.
  const rope_theta = spelling === "llama-1" ? 10_000 : Math.round(10 ** draw.between(1.5, 6));
  const rope_type = plain.has(spelling) ? "default" : draw.among("default", "linear", "dynamic", "llama3", "yarn");
  if (rope_type === "default") return { rope_type, rope_theta };
  const scaled = { rope_type, rope_theta, factor: draw.between(1.5, 9) };
  const original_max_position_embeddings = draw.integer(8, 40);
  const low = draw.between(0.5, 2);
  const high = low + draw.between(0.5, 4);
  if (rope_type === "llama3")
    return { ...scaled, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings };
  if (rope_type !== "yarn") return scaled;
  const sharpness = draw.among<object>(
    {},
    { attention_factor: draw.between(0.7, 1.5) },
    { mscale: 0.7, mscale_all_dim: 1.2 },
  );
  const bands = draw.chance(0.5) ? { beta_slow: low, beta_fast: high, truncate: draw.chance(0.5) } : {};
  return { ...scaled, ...bands, ...sharpness, original_max_position_embeddings };
}

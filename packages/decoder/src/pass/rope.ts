import { quote } from "@lethe/tensor";
import { z } from "zod";
import { schemaProblems } from "../errors.ts";

/** Fields of `config.json` for rotary positions, in the spellings of `transformers` 4 and 5. */
export interface RopeFields {
  readonly head_dim: number;
  readonly max_position_embeddings: number;
  readonly rope_theta?: unknown;
  /** `transformers` 4: `{ type | rope_type, factor, … }`. */
  readonly rope_scaling?: unknown;
  /** `transformers` 5: the fields of `rope_scaling`, and `rope_theta`. */
  readonly rope_parameters?: unknown;
  readonly partial_rotary_factor?: unknown;
  readonly original_max_position_embeddings?: unknown;
}

const above0 = z.number().positive();
const factor = z.number().min(1);
const common = { rope_theta: above0, partial_rotary_factor: z.literal(1) };

const schema = z.discriminatedUnion("rope_type", [
  z.object({ ...common, rope_type: z.literal("default") }),
  z.object({ ...common, rope_type: z.literal("linear"), factor }),
  z.object({ ...common, rope_type: z.literal("dynamic"), factor }),
  z
    .object({
      ...common,
      rope_type: z.literal("llama3"),
      factor,
      low_freq_factor: above0,
      high_freq_factor: above0,
      original_max_position_embeddings: above0,
    })
    .refine(({ low_freq_factor: low, high_freq_factor: high }) => high > low, {
      path: ["high_freq_factor"],
      error: "expected a number above low_freq_factor",
    }),
  z.object({
    ...common,
    rope_type: z.literal("yarn"),
    factor,
    original_max_position_embeddings: above0,
    attention_factor: above0.nullish(),
    beta_fast: above0.nullish(),
    beta_slow: above0.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
]);

/** Rotary positions: their base, and how they are stretched over texts longer than those of the first training. */
export type Rope = z.infer<typeof schema> & Pick<RopeFields, "head_dim" | "max_position_embeddings">;

/**
 * Reads the rotary fields as `transformers` 5 does. `rope_scaling` overrides `rope_parameters`; a base inside either overrides the
 * field `rope_theta`; `rope_type` overrides its old name `type`.
 * @returns the rotary positions, or a line for each field that is wrong or not supported
 */
export function readRope(config: RopeFields): { readonly rope?: Rope; readonly problems: readonly string[] } {
  const { head_dim, max_position_embeddings } = config;
  const field = config.rope_scaling ? "rope_scaling" : "rope_parameters";
  const given = (config[field] ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof given !== "object" || Array.isArray(given))
    return { problems: [`${field} is ${quote(given)}: expected an object`] };
  const fields = {
    ...given,
    rope_type: given.rope_type ?? given.type ?? "default",
    rope_theta: given.rope_theta ?? config.rope_theta ?? 10_000,
    partial_rotary_factor: given.partial_rotary_factor ?? config.partial_rotary_factor ?? 1,
    original_max_position_embeddings:
      config.original_max_position_embeddings ?? given.original_max_position_embeddings ?? max_position_embeddings,
  };
  const { data, error } = schema.safeParse(fields);
  if (data) return { rope: { ...data, head_dim, max_position_embeddings }, problems: [] };
  const prefix = (name: string) => (Object.hasOwn(given, name) || !Object.hasOwn(config, name) ? `${field}.` : "");
  return { problems: schemaProblems(error, fields, prefix) };
}

/**
 * The angle in radians between one position and the next for each of the D/2 pairs of a head's elements: θ^(−2i/D) (Su et al. 2021),
 * changed by the kind of scaling. The values are rounded to f32 where `transformers` rounds, because a late position multiplies the
 * rounding error.
 * @param length positions of the run; beyond the trained length, the frequencies of the dynamic kind depend on it
 */
export function inverseFrequencies(rope: Rope, length: number): number[] {
  const { rope_theta: theta, head_dim: width, max_position_embeddings: trained } = rope;
  const plain = (base: number) =>
    Array.from({ length: width / 2 }, (_, i) => Math.fround(1 / Math.fround(base ** Math.fround((2 * i) / width))));
  switch (rope.rope_type) {
    case "default":
      return plain(theta);
    // Positions are divided (Chen et al. 2023).
    case "linear":
      return plain(theta).map((frequency) => Math.fround(frequency / rope.factor));
    // The base grows with the length ("NTK-aware scaling"), so that the slowest pair turns no further than in training.
    case "dynamic": {
      const stretch = (rope.factor * Math.max(length, trained)) / trained - (rope.factor - 1);
      return plain(theta * stretch ** (width / (width - 2)));
    }
    // Slow pairs are divided, fast pairs are kept, and pairs between the two are a mixture (Grattafiori et al. 2024, as released).
    case "llama3": {
      const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: before } = rope;
      return plain(theta).map((frequency) => {
        const turns = (before * frequency) / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return Math.fround(((1 - kept) * frequency) / factor + kept * frequency);
      });
    }
    // As llama3, but between the pairs that turn `beta_fast` and `beta_slow` times in training, by their places (Peng et al. 2023).
    case "yarn": {
      const { factor, original_max_position_embeddings: before, truncate } = rope;
      const place = (turns: number) => (width * Math.log(before / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
      const [fast, slow] = [place(rope.beta_fast || 32), place(rope.beta_slow || 1)];
      const first = Math.max(truncate ? Math.floor(fast) : fast, 0);
      const last = Math.min(truncate ? Math.ceil(slow) : slow, width - 1);
      return plain(theta).map((frequency, i) => {
        const kept = 1 - Math.min(1, Math.max(0, (i - first) / (last - first || 0.001)));
        return Math.fround(((1 - kept) * frequency) / factor + kept * frequency);
      });
    }
  }
}

/** What cosines and sines are multiplied by, so that attention stays as sharp over longer texts (Peng et al. 2023). */
export function attentionFactor(rope: Rope): number {
  if (rope.rope_type !== "yarn") return 1;
  const { factor, attention_factor: given, mscale, mscale_all_dim: all } = rope;
  const sharpness = (scale: number) => 0.1 * scale * Math.log(factor) + 1;
  return given ?? (mscale && all ? sharpness(mscale) / sharpness(all) : sharpness(1));
}

/** Whether a run of this many positions has frequencies that no other length has. */
export function dependsOnLength(rope: Rope, length: number): boolean {
  return rope.rope_type === "dynamic" && length > rope.max_position_embeddings;
}

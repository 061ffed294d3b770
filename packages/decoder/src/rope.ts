/** What `config.json` says of rotary positions, in the spellings of `transformers` 4 and 5. */
export interface RopeFields {
  readonly head_dim: number;
  readonly max_position_embeddings: number;
  readonly rope_theta?: unknown;
  /** `transformers` 4: `{ type | rope_type, factor, … }`. */
  readonly rope_scaling?: unknown;
  /** `transformers` 5: as `rope_scaling`, with `rope_theta` among them. */
  readonly rope_parameters?: unknown;
  readonly partial_rotary_factor?: unknown;
  readonly original_max_position_embeddings?: unknown;
}

/** Rotary positions: their base, and how they are stretched over texts longer than those first trained on. */
export type Rope = { readonly theta: number; readonly width: number } & (
  | { readonly kind: "default" }
  | { readonly kind: "linear"; readonly factor: number }
  | { readonly kind: "dynamic"; readonly factor: number; readonly trained: number }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly trained: number;
    }
);

const kinds = ["default", "linear", "dynamic", "llama3"];

/**
 * Reads the rotary fields as `transformers` 5 does: `rope_scaling` goes before `rope_parameters`, a base inside either before the
 * field `rope_theta`, and `rope_type` before its old name `type`.
 * @param fault is told of each field that is wrong or not supported
 * @returns undefined after a fault
 */
export function ropeOf(config: RopeFields, fault: (message: string) => void = fail): Rope | undefined {
  const faults: string[] = [];
  const field = config.rope_scaling ? "rope_scaling" : "rope_parameters";
  const given = (config[field] ?? {}) as Readonly<Record<string, unknown>>;
  const number = (name: string, value: unknown, expected: string, fits: (value: number) => boolean): number => {
    if (typeof value === "number" && fits(value)) return value;
    faults.push(`${name} is ${JSON.stringify(value) ?? "missing"}, expected ${expected}`);
    return Number.NaN;
  };
  const positive = (name: string, value: unknown) => number(name, value, "a number above 0", (value) => value > 0);
  const theta = positive("rope_theta", given.rope_theta ?? config.rope_theta ?? 10_000);
  const part = given.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (part !== 1) faults.push(`partial_rotary_factor is ${JSON.stringify(part)}, which is not supported; expected 1`);
  const kind = given.rope_type ?? given.type ?? "default";
  const factor = () => number(`${field}.factor`, given.factor, "a number from 1", (value) => value >= 1);
  const rope = ((): Rope | undefined => {
    const common = { theta, width: config.head_dim };
    const { max_position_embeddings: longest } = config;
    switch (kind) {
      case "default":
        return { ...common, kind: "default" };
      case "linear":
        return { ...common, kind: "linear", factor: factor() };
      case "dynamic":
        return { ...common, kind: "dynamic", factor: factor(), trained: longest };
      case "llama3": {
        const trained = config.original_max_position_embeddings ?? given.original_max_position_embeddings ?? longest;
        return {
          ...common,
          kind: "llama3",
          factor: factor(),
          lowFrequencyFactor: positive(`${field}.low_freq_factor`, given.low_freq_factor),
          highFrequencyFactor: positive(`${field}.high_freq_factor`, given.high_freq_factor),
          trained: positive(`${field}.original_max_position_embeddings`, trained),
        };
      }
      default:
        faults.push(
          `${field}.rope_type is ${JSON.stringify(kind)}, which is not supported; expected one of ${kinds.join(", ")}`,
        );
    }
  })();
  for (const message of faults) fault(message);
  return faults.length === 0 ? rope : undefined;
}

/**
 * The angle between one position and the next for each pair of a head's elements, D/2 of them: θ^(−2i/D) (Su et al. 2021), changed
 * as the kind asks. Rounded to f32 where `transformers` rounds, because a late position multiplies what is lost.
 * @param length positions of the run: beyond the trained ones the dynamic kind depends on it
 */
export function inverseFrequencies(rope: Rope, length: number): number[] {
  const { theta, width } = rope;
  const plain = (base: number) =>
    Array.from({ length: width / 2 }, (_, i) => Math.fround(1 / Math.fround(base ** Math.fround((2 * i) / width))));
  switch (rope.kind) {
    case "default":
      return plain(theta);
    // Positions are divided (Chen et al. 2023).
    case "linear":
      return plain(theta).map((frequency) => Math.fround(frequency / rope.factor));
    // The base grows with the text ("NTK-aware scaling"), so that the slowest pair turns no further than it did in training.
    case "dynamic": {
      const { factor, trained } = rope;
      const stretch = (factor * Math.max(length, trained)) / trained - (factor - 1);
      return plain(theta * stretch ** (width / (width - 2)));
    }
    // Slow pairs are divided, fast ones kept, and those between are mixed (Grattafiori et al. 2024, as released).
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, trained } = rope;
      return plain(theta).map((frequency) => {
        const turns = (trained * frequency) / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
        return Math.fround(((1 - kept) * frequency) / factor + kept * frequency);
      });
    }
  }
}

function fail(message: string): never {
  throw new Error(message);
}

import { optimiserNamed, type TrainingRecipe, weightsNamed } from "@lethe/unlearn";
import type { LiveBytes } from "../profile/peak.ts";

/** A part of the memory, and its bytes. */
export interface Part {
  readonly part: string;
  readonly bytes: number;
}

/** The weights of both models. */
interface Weights {
  readonly labels: ReadonlySet<string>;
  readonly vanilla: number;
  readonly trained: number;
}

/** What of a streamed vanilla model is kept for the restoration. */
export const VALUES = "value vectors of the vanilla model";

/** The parts that tensors belong to, by the ends of their labels: of one alone, or of the first of several in a buffer. */
const KINDS: readonly (readonly [ending: RegExp, part: string])[] = [
  [/\.grad$/, "gradients"],
  [/^streamed /, "streamed weights of the vanilla model"],
  [/ before training$/, "weights before training"],
  [/\.lora_[AB]\.weight$/, "low-rank updates"],
  [/^(key|value) cache of layer \d+$/, "KV cache"],
  [new RegExp(`^${VALUES}$`), VALUES],
];

/** What decides which tensors a training keeps of a weight. */
export type Keeping = Pick<TrainingRecipe, "optimiser" | "weights">;

/** The part of a tensor that a training keeps of a weight, by the end of its label. */
function keptPart(label: string, { optimiser, weights }: Keeping): string | undefined {
  const { copy } = weightsNamed(weights);
  const kept = [...optimiserNamed(optimiser).slots, ...(copy ? [copy] : [])];
  return kept.find(({ name }) => label.endsWith(`.${name}`))?.part;
}

const OTHER = "activations";
const REFERENCES = "what the reference model gave";

/** Parts whose bytes depend on how many texts and questions there are, and how long they are. */
const BY_TEXTS: readonly string[] = [OTHER, REFERENCES, "KV cache"];

/** The bytes of the parts that do not depend on the texts. */
export function fixedBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, { part, bytes }) => (BY_TEXTS.includes(part) ? sum : sum + bytes), 0);
}

/**
 * What a device holds at one moment, by part, the largest first. Tensors that rest between two batches and have no kind of their own are what
 * the reference model gave; all else is activations.
 * @param resting what there is between two batches of the training
 * @param keeping default: AdamW, and weights in f32
 */
export function partsOf(live: LiveBytes, weights: Weights, resting: LiveBytes, keeping: Keeping = {}): Part[] {
  const now = byKind(live, weights, keeping);
  const other = now.get(OTHER) ?? 0;
  const references = Math.min(byKind(resting, weights, keeping).get(OTHER) ?? 0, other);
  // Every training keeps a few numbers.
  const kept = references > 0.01 * other ? references : 0;
  const parts = new Map([
    ["weights of the vanilla model", weights.vanilla],
    ["weights of the trained model", weights.trained],
    ...now,
    [REFERENCES, kept],
    [OTHER, other - kept],
  ]);
  return Array.from(parts, ([part, bytes]) => ({ part, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((a, b) => b.bytes - a.bytes);
}

/** Bytes by kind, without the models' weights. */
function byKind(live: LiveBytes, { labels }: Weights, keeping: Keeping): Map<string, number> {
  const parts = new Map<string, number>();
  for (const [label, bytes] of live) {
    if (labels.has(label)) continue;
    const first = label.replace(/ and \d+ more$/, "");
    const part = keptPart(first, keeping) ?? KINDS.find(([ending]) => ending.test(first))?.[1] ?? OTHER;
    parts.set(part, (parts.get(part) ?? 0) + bytes);
  }
  return parts;
}

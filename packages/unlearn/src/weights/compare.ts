import { Decoder, type Watch } from "@lethe/decoder";
import { LetheError, sub, sumOfSquaresInto, type Weight } from "@lethe/tensor";
import { callable, checkedAsync, instanceOf, type Kind, optional, options, unlessAborted } from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
import { Gram, type Matrix, piecesOf, rowsInF32 } from "./gram.ts";

/** Sums of squares of a weight's numbers, or of those of several weights. */
export interface WeightSquares {
  /** ‖W‖² of the vanilla weight, with the Frobenius norm. */
  readonly vanilla: number;
  /** ‖W + ΔW‖² of the unlearned weight. */
  readonly unlearned: number;
  /** ‖ΔW‖² of the change. */
  readonly change: number;
}

/** What {@link compareWeights} measures of one weight. */
export interface WeightComparison extends WeightSquares {
  /** Hugging Face's name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The largest singular values of W and of ΔW. Null for a vector, which has no other norm. */
  readonly spectral: { readonly vanilla: number; readonly change: number } | null;
}

/** A model whose weights are read one at a time, such as a `StreamedModel`. */
export interface WeightsInTurn {
  readonly label: string;
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** Reads one. The caller disposes of it. */
  weight(name: string, watch: Watch): Promise<Weight>;
}

const weightsKind: Kind = {
  wanted: "a Decoder, or an object of label, weights and weight",
  accepts: (value) => value instanceof Decoder || callable.accepts(Object(value).weight),
};

export interface CompareWeightsOptions {
  /**
   * Spectral norms of the vanilla weights by name: those that are there are not measured, and those that are measured are put there. Half of
   * the work is saved where several models are compared with one.
   */
  readonly norms?: Map<string, number>;
  /** Called before each weight with the share of the weights that is done. */
  readonly progress?: (share: number) => void;
  /** Stops the work: its reason is thrown at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Weights that are on their way at once: the host works on one while the device works on the next. */
const AHEAD = 3;

/**
 * Compares every weight of an unlearned model with the vanilla model's, of which arXiv 2410.06606, Section 6, has unembedding and norms:
 * sums of squares, and spectral norms by the largest eigenvalue of WᵀW. Each is within 1e-5 of itself. Either model may hold packed weights;
 * they are widened piece by piece. The host sees no weight, only squares of a weight's shorter side. The vanilla model need not be on the device.
 * @returns an entry for each weight, in the order of the vanilla model's
 * @throws {LetheError} when a model lacks a weight of the other, shapes differ, or a number in a weight is not finite
 * @function
 */
export const compareWeights = checkedAsync(
  "compareWeights",
  {
    vanilla: weightsKind,
    unlearned: decoder,
    options: options({ norms: optional(instanceOf(Map)), progress: optional(callable), signal }),
  },
  async (
    vanilla: Decoder | WeightsInTurn,
    unlearned: Decoder,
    { norms = new Map(), progress, signal }: CompareWeightsOptions = {},
  ): Promise<WeightComparison[]> => {
    requireAlike(vanilla, unlearned);
    const begun: Promise<WeightComparison>[] = [];
    for (const name of vanilla.weights.keys()) {
      progress?.(begun.length / vanilla.weights.size);
      await unlearned.device.ready(signal);
      // What the comparison records keeps the weight as long as it needs it.
      using weight =
        vanilla instanceof Decoder ? vanilla.weights.get(name)!.retain() : await vanilla.weight(name, { signal });
      const comparison = compare(name, weight, unlearned.weights.get(name)!, norms);
      // Who waits for the comparisons hears of a failure. Who was stopped waits no more.
      comparison.catch(() => {});
      begun.push(comparison);
      await unlessAborted(Promise.resolve(begun.at(-AHEAD)), signal);
    }
    return unlessAborted(Promise.all(begun), signal);
  },
);

async function compare(
  name: string,
  vanilla: Weight,
  unlearned: Weight,
  norms: Map<string, number>,
): Promise<WeightComparison> {
  const { shape } = vanilla;
  const known = norms.get(name);
  const { read, spectral } = record(vanilla, unlearned, known === undefined);
  // All are waited for at once, so that none fails unheard.
  const [values, [change, measured]] = await Promise.all([read, Promise.all(spectral)]);
  const sumOf = (which: number) => values.reduce((sum, value, i) => sum + (i % 3 === which ? value : 0), 0);
  const squares = { vanilla: sumOf(0), unlearned: sumOf(1), change: sumOf(2) };
  if (!Object.values(squares).every(Number.isFinite))
    throw new LetheError(
      `compareWeights: ${name} holds a number that is not finite: its sums of squares are ${squares.vanilla} in the vanilla model and ` +
        `${squares.unlearned} in the unlearned one`,
    );
  if (shape.length === 1) return { name, shape, ...squares, spectral: null };
  const ofVanilla = known ?? measured!;
  norms.set(name, ofVanilla);
  return { name, shape, ...squares, spectral: { vanilla: ofVanilla, change: change! } };
}

/**
 * Records the work on one weight. What it reads is there later; nothing stays on the device.
 * @param both whether the spectral norm of the vanilla weight is wanted beside that of the change
 */
function record(vanilla: Weight, unlearned: Weight, both: boolean) {
  const { device } = vanilla;
  using _ = device.scope("compare weights");
  const matrices = [asMatrix(vanilla), asMatrix(unlearned)] as const;
  const { shape } = matrices[0];
  const pieces = piecesOf(shape);
  const squares = device.empty([pieces.length, 3], "f32", "sums of squares");
  const grams = Array.from({ length: shape[0] === 1 ? 0 : both ? 2 : 1 }, () => new Gram(device, shape));
  for (const [i, piece] of pieces.entries()) {
    using _ = device.scope("piece");
    const [before, after] = [rowsInF32(matrices[0], piece), rowsInF32(matrices[1], piece)];
    const change = sub(after, before);
    for (const [which, values] of [before, after, change].entries()) sumOfSquaresInto(squares, 3 * i + which, values);
    for (const [which, values] of [change, before].entries()) grams[which]?.add(values);
  }
  return { read: squares.read(), spectral: grams.map((gram) => gram.spectralNorm()) };
}

/** A vector as one row. */
function asMatrix(weight: Weight): Matrix {
  const { shape } = weight;
  return weight.reshape([shape.length === 1 ? 1 : shape[0]!, shape.at(-1)!] as const);
}

function requireAlike(vanilla: Pick<WeightsInTurn, "label" | "weights">, unlearned: Decoder): void {
  const missing = (from: typeof vanilla, whole: typeof vanilla) =>
    [...whole.weights.keys()].find((name) => !from.weights.has(name));
  for (const [from, whole] of [
    [unlearned, vanilla],
    [vanilla, unlearned],
  ] as const) {
    const name = missing(from, whole);
    if (name !== undefined)
      throw new LetheError(`compareWeights: ${from.label} has no weight "${name}", which ${whole.label} has`);
  }
  for (const [name, { shape }] of vanilla.weights) {
    const other = unlearned.weights.get(name)!.shape;
    if (`${shape}` !== `${other}`)
      throw new LetheError(
        `compareWeights: ${name} is [${shape}] in the vanilla model and [${other}] in the unlearned one; they do not belong together`,
      );
  }
}

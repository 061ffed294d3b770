import { randomOf, shuffled } from "@lethe/tensor";
import { chunks } from "../data/index.ts";

/** A forget batch with the retain batch that goes beside it, in tokens. */
export interface TextPair {
  readonly forget: readonly (readonly number[])[];
  readonly retain: readonly (readonly number[])[];
}

/**
 * Forget texts in batches, each beside a retain batch; where there are fewer of those they are used again. The batches are made
 * once, so that what the reference model says of each is computed once; only their order changes from epoch to epoch.
 */
export function pairTexts(
  forget: readonly (readonly number[])[],
  retain: readonly (readonly number[])[],
  batchSize: number,
  seed: number,
): TextPair[] {
  const batches = (texts: readonly (readonly number[])[], role: string) =>
    chunks(shuffled(texts, randomOf(seed, "unlearning", role)), batchSize);
  const kept = batches(retain, "retain");
  return batches(forget, "forget").map((texts, i) => ({ forget: texts, retain: kept[i % kept.length]! }));
}

/**
 * One epoch's optimiser steps as indices of pairs: all pairs in a new order, `accumulation` to a step. With `stepsPerEpoch` there
 * are exactly that many steps, going round the pairs as often as it takes.
 */
export function stepsOfEpoch(
  pairs: number,
  { stepsPerEpoch, accumulation }: { readonly stepsPerEpoch: number | null; readonly accumulation: number },
  seed: number,
  epoch: number,
): number[][] {
  const order = shuffled([...Array(pairs).keys()], randomOf(seed, "unlearning order", epoch));
  const wanted = stepsPerEpoch === null ? pairs : stepsPerEpoch * accumulation;
  return chunks(
    Array.from({ length: wanted }, (_, i) => order[i % pairs]!),
    accumulation,
  );
}

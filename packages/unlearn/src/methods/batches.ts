import { fewLengths } from "@lethe/decoder";
import { LetheError, randomOf, shuffled } from "@lethe/tensor";
import { chunks } from "../data/batches.ts";
import type { Role } from "./method.ts";
import type { TrainingRecipe } from "./recipe.ts";

/** Texts in tokens. */
export type Texts = readonly (readonly number[])[];
/** Texts by their role. */
export type RoleTexts = { readonly [R in Role]?: Texts };
/** How many texts of a role were left out of a training, for the roles of which any were. */
export type LeftOut = { readonly [R in Role]?: number };

/**
 * Texts in batches. One batch holds texts of every role that is read, for one forward and backward pass. Each text of the first role is in one
 * batch. Another role's texts are used again where they do not suffice. A preferred text is in the batch of the text with the same index in
 * the first role. The batches stay the same in every epoch, so that the reference model runs once on each; only their order changes.
 *
 * Texts are cut at `maxTokens`. A text of one token predicts nothing, so it is left out; where it is a preferred text, with its partner.
 * @param onLeftOut called when texts are left out
 * @throws {LetheError} when a role has no text, or none is left
 */
export function batchTexts(
  texts: RoleTexts,
  reads: readonly Role[],
  { batchSize, maxTokens }: Pick<TrainingRecipe, "batchSize" | "maxTokens">,
  seed: number,
  onLeftOut?: (leftOut: LeftOut) => void,
): RoleTexts[] {
  const missing = reads.find((role) => !texts[role]?.length);
  if (missing) throw new LetheError(`unlearn: there is no ${missing} text`);
  const leftOut: { [R in Role]?: number } = {};
  const textOf = (role: Role, index: number) => texts[role]![index % texts[role]!.length]!.slice(0, maxTokens);
  /** The texts of a role in their order, without those that are too short or have such a partner. */
  const orderOf = (role: Role, partners: readonly Role[] = []) => {
    const all = shuffled([...texts[role]!.keys()], randomOf(seed, "unlearning", role));
    const order = all.filter((index) => [role, ...partners].every((partner) => textOf(partner, index).length > 1));
    if (order.length === 0) throw new LetheError(`unlearn: none of the ${role} texts has two tokens or more`);
    if (order.length < all.length) leftOut[role] = all.length - order.length;
    return order;
  };
  const first = orderOf(reads[0]!, reads.includes("preferred") ? ["preferred"] : []);
  const batches = reads.map((role, place) => {
    const order = place === 0 || role === "preferred" ? first : orderOf(role);
    return { role, batches: chunks(order, batchSize).map((indices) => indices.map((index) => textOf(role, index))) };
  });
  if (Object.keys(leftOut).length > 0) onLeftOut?.(leftOut);
  return batches[0]!.batches.map((_, i) =>
    Object.fromEntries(batches.map(({ role, batches }) => [role, batches[i % batches.length]!])),
  );
}

/** Tokens of each pass over a batch, padding included. */
export function passesOf(batch: RoleTexts): number[] {
  return Object.values(batch).map((texts) => texts.length * fewLengths(Math.max(...texts.map(({ length }) => length))));
}

/** Tokens of all passes over a batch, padding included. */
export function tokensOf(batch: RoleTexts): number {
  return passesOf(batch).reduce((sum, tokens) => sum + tokens, 0);
}

/**
 * One epoch's optimiser steps as indices of batches: all batches in a new order, `gradientAccumulation` to a step. With `stepsPerEpoch`
 * there are exactly that many steps, and batches are left out or used again.
 */
export function stepsOfEpoch(
  batches: number,
  { stepsPerEpoch, gradientAccumulation }: Pick<TrainingRecipe, "stepsPerEpoch" | "gradientAccumulation">,
  seed: number,
  epoch: number,
): number[][] {
  const order = shuffled([...Array(batches).keys()], randomOf(seed, "unlearning order", epoch));
  const wanted = stepsPerEpoch === null ? batches : stepsPerEpoch * gradientAccumulation;
  return chunks(
    Array.from({ length: wanted }, (_, i) => order[i % batches]!),
    gradientAccumulation,
  );
}

/** How long a training is, in optimiser steps. */
export interface TrainingLength {
  /** Steps of an epoch. The last one may have fewer. */
  readonly perEpoch: number;
  /** Steps in all: those of the epochs, or the recipe's `steps` where these are fewer. */
  readonly total: number;
  /** Epochs that are begun. */
  readonly epochs: number;
  /** Steps of the warm-up, at most all. */
  readonly warmup: number;
}

/** The length of a training by a recipe, with this many batches. */
export function lengthOf(
  batches: number,
  {
    epochs,
    steps,
    stepsPerEpoch,
    gradientAccumulation,
    warmupEpochs,
  }: Pick<TrainingRecipe, "epochs" | "steps" | "stepsPerEpoch" | "gradientAccumulation" | "warmupEpochs">,
): TrainingLength {
  const perEpoch = stepsPerEpoch ?? Math.ceil(batches / gradientAccumulation);
  const total = Math.min(epochs * perEpoch, steps ?? Number.POSITIVE_INFINITY);
  const warmup = Math.min(total, Math.round(warmupEpochs * perEpoch));
  return { perEpoch, total, epochs: Math.ceil(total / perEpoch), warmup };
}

/** The batches that a training reads, in ascending order: with few steps not all of them. */
export function usedBatches(
  batches: number,
  recipe: Parameters<typeof lengthOf>[1] & Parameters<typeof stepsOfEpoch>[1],
  seed: number,
): number[] {
  const { perEpoch, total, epochs } = lengthOf(batches, recipe);
  const steps = Array.from({ length: epochs }, (_, i) =>
    stepsOfEpoch(batches, recipe, seed, i + 1).slice(0, total - i * perEpoch),
  );
  return [...new Set(steps.flat(2))].sort((a, b) => a - b);
}

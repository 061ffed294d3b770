import { randomOf, shuffled } from "@lethe/tensor";
import { chunks } from "../data/batches.ts";
import type { Role } from "./method.ts";
import type { TrainingRecipe } from "./recipe.ts";

/** Texts in tokens. */
export type Texts = readonly (readonly number[])[];
/** Texts by their role. */
export type RoleTexts = { readonly [R in Role]?: Texts };

/**
 * Texts in batches. One batch holds texts of every role that is read, for one forward and backward pass. Each text of the first role is in one
 * batch. Another role's texts are used again where they do not suffice. A preferred text is in the batch of the text with the same index in
 * the first role. The batches stay the same in every epoch, so that the reference model runs once on each; only their order changes.
 */
export function batchTexts(texts: RoleTexts, reads: readonly Role[], batchSize: number, seed: number): RoleTexts[] {
  const orderOf = (role: Role) => shuffled([...texts[role]!.keys()], randomOf(seed, "unlearning", role));
  const first = orderOf(reads[0]!);
  const batches = reads.map((role) => {
    const own = texts[role]!;
    const order = role === "preferred" ? first.map((index) => index % own.length) : orderOf(role);
    return { role, batches: chunks(order, batchSize).map((indices) => indices.map((index) => own[index]!)) };
  });
  return batches[0]!.batches.map((_, i) =>
    Object.fromEntries(batches.map(({ role, batches }) => [role, batches[i % batches.length]!])),
  );
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

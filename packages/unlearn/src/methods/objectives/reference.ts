import type { F32, Ops } from "@lethe/tensor";
import { batchFor, type Labelled, type LossInputs, type Objective, type Role } from "./objective.ts";
import { sequenceNll } from "./terms.ts";

/**
 * What an objective compares with, of the frozen reference model on one micro-batch: compute it before training starts and pass it
 * as the loss's `reference` in every epoch. The tensors belong to the innermost open scope.
 * @param forward logits `[B, T, V]` of the reference model
 */
export function referenceOf<B extends Labelled>(
  ops: Ops,
  { name, needs }: Objective,
  { forward, batches }: Pick<LossInputs<B>, "forward" | "batches">,
): { readonly [R in Role]?: F32 } {
  const quantity = (role: Role) => {
    const batch = batchFor(name, role, { forward, batches });
    return batch.labels.device.scoped("reference", () =>
      needs[role] === "sequenceNll" ? sequenceNll(ops, forward, batch) : forward(batch),
    );
  };
  return Object.fromEntries((Object.keys(needs) as Role[]).map((role) => [role, quantity(role)]));
}

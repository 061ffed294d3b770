import type { MemoryNeed } from "@lethe/tensor";
import { anyObject, checked, listOf } from "@lethe/tensor/checked";
import type { Trainable } from "./trainable.ts";

/**
 * The memory that training with AdamW needs beside the parameters: for each of them an f32 gradient and two moments. Pass it to
 * `requireMemory` before training starts. Activations are not in it; they depend on the batch.
 * @function
 */
export const trainingMemory = checked(
  "trainingMemory",
  { trainables: listOf(anyObject) },
  (trainables: readonly Trainable[]): MemoryNeed[] =>
    trainables.flatMap(({ name, parameter }) => {
      const bytes = parameter.device.pool.sizeOf(parameter.bytes);
      return [
        { part: "gradients", name, bytes },
        { part: "AdamW's first moments", name, bytes },
        { part: "AdamW's second moments", name, bytes },
      ];
    }),
);

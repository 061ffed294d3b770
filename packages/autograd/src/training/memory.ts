import { bytesTogether, type MemoryNeed } from "@lethe/tensor";
import { anyObject, checked, listOf } from "@lethe/tensor/checked";
import type { SelectedWeight } from "./trainable.ts";

/**
 * The memory that training with AdamW needs beside the parameters, which are f32 then: for each of them a gradient and two moments. Pass it to
 * `requireMemory` before training starts. Activations are not in it; they depend on the batch.
 * @function
 */
export const trainingMemory = checked(
  "trainingMemory",
  { trainables: listOf(anyObject) },
  (trainables: readonly SelectedWeight[]): MemoryNeed[] => {
    if (trainables.length === 0) return [];
    const parts = trainables.map(({ name, parameter: { shape } }) => [{ shape, label: name }]);
    return bytesTogether(trainables[0]!.parameter.device, parts, "f32").flatMap((bytes, i) => {
      const { name } = trainables[i]!;
      return ["gradients", "AdamW's first moments", "AdamW's second moments"].map((part) => ({ part, name, bytes }));
    });
  },
);

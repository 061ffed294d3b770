import type { MemoryNeed } from "@lethe/tensor";
import type { Trainable } from "./trainable.ts";

/**
 * The memory that training with AdamW needs beside the parameters: for each of them an f32 gradient and two moments. Pass it to
 * `requireMemory` before training starts. Activations are not in it; they depend on the batch.
 */
export function trainingMemory(trainables: readonly Trainable[]): MemoryNeed[] {
  return trainables.flatMap(({ name, parameter }) => {
    const bytes = parameter.device.pool.sizeOf(parameter.bytes);
    return [
      { part: "gradients", name, bytes },
      { part: "AdamW's first moments", name, bytes },
      { part: "AdamW's second moments", name, bytes },
    ];
  });
}

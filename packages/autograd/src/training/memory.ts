import type { MemoryNeed } from "@lethe/tensor";
import type { Trainable } from "./trainable.ts";

/**
 * What training with AdamW takes beside the parameters: of each an f32 gradient and two moments. For `requireMemory`, before it starts;
 * activations, which depend on the batch, come on top.
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

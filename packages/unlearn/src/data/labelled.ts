import { type Batch, type BatchOptions, batchOf } from "@lethe/decoder";
import { Device, type Tensor } from "@lethe/tensor";
import { anyObject, checked, instanceOf, listOf, optional } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";

/** The label of a position that does not count in a loss. */
export const ignoredLabel = -100;

/** A batch with the token that each position should predict. */
export interface LabelledBatch extends Batch {
  /** `[B, T]`: the token that follows each position in its own sequence, −100 at its last token and on padding. */
  readonly labels: Tensor<readonly [number, number], "i32">;
}

/**
 * Sequences as a batch for training. The default pads on the right. Labels are shifted against tokens here and nowhere else. The batch
 * belongs to the innermost open scope or, without one, to the caller, who disposes of it.
 * @function
 */
export const labelledBatch = checked(
  "labelledBatch",
  { device: instanceOf(Device), sequences: listOf(tokens), options: optional(anyObject) },
  (device: Device, sequences: readonly ArrayLike<number>[], options: BatchOptions = {}): LabelledBatch => {
    const batch = batchOf(device, sequences, { pad: "right", ...options });
    const [, columns] = batch.ids.shape;
    const values = new Int32Array(batch.ids.size).fill(ignoredLabel);
    sequences.forEach((sequence, row) => {
      const start = row * columns + batch.firsts[row]!;
      for (let t = 1; t < sequence.length; t++) values[start + t - 1] = sequence[t]!;
    });
    const labels = device.tensor(values, batch.ids.shape, "i32", "labels");
    const dispose = () => {
      batch.dispose();
      labels.dispose();
    };
    return { ...batch, labels, dispose, [Symbol.dispose]: dispose };
  },
);

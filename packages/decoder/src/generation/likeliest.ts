import type { Hooks } from "@lethe/hooks";
import type { Device, F32, Ops, Tensor } from "@lethe/tensor";
import type { Batch } from "../pass/batch.ts";
import type { ForwardOptions } from "../pass/pass.ts";

/** Rows of a batch, for the option `rows` of a pass. */
export function rowsOf(device: Device, rows: readonly number[]): Tensor<readonly [number], "u32"> {
  return device.tensor(rows, [rows.length], "u32", "rows with logits");
}

/**
 * The options of a pass for logits after each sequence's last token. A batch of one column has no other rows, so none are taken there.
 * With hooks they are: in every pass of a generation, a hook behind the blocks sees rows.
 */
export function lastRows(
  device: Device,
  { ids, lengths, row }: Batch,
  hooks?: Hooks,
): Pick<ForwardOptions, "rows" | "hooks"> {
  if (!hooks && ids.shape[1] === 1) return {};
  const rows = rowsOf(
    device,
    lengths.map((_, sequence) => row(sequence, -1)),
  );
  return hooks ? { rows, hooks } : { rows };
}

/**
 * The tokens of each row's largest logits, `[…, count]`, and then the bits of these logits, as many: one tensor, to be read at once. NaN
 * counts as the largest.
 */
export function likeliest(logits: F32, count: number, ops: Ops): Tensor {
  const { values, indices } = ops.topK(logits, count);
  const both = logits.device.empty([2, indices.size], "u32", "likeliest tokens");
  logits.device.copyBytes(indices, 0, both, 0, indices.bytes);
  logits.device.copyBytes(values, 0, both, indices.bytes, values.bytes);
  return both;
}

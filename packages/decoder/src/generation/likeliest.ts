import type { Device, F32, Ops, Tensor } from "@lethe/tensor";

/** Rows of a batch, for the option `rows` of a pass. */
export function rowsOf(device: Device, rows: readonly number[]): Tensor<readonly [number], "u32"> {
  return device.tensor(rows, [rows.length], "u32", "rows with logits");
}

/**
 * The tokens of each row's largest logits, `[R, count]`, and then the bits of these logits, as many: one tensor, to be read at once. NaN
 * counts as the largest.
 */
export function likeliest(logits: F32, count: number, ops: Ops): Tensor {
  const { values, indices } = ops.topK(logits, count);
  const both = logits.device.empty([2, indices.size], "u32", "likeliest tokens");
  logits.device.copyBytes(indices, 0, both, 0, indices.bytes);
  logits.device.copyBytes(values, 0, both, indices.bytes, values.bytes);
  return both;
}

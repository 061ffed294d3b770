import type { F32, Ops, Weight } from "@lethe/tensor";

/**
 * What each head adds to the output of attention, `[H, B, T, d]`: the values that it mixed times its columns of W_O. A bias of the output
 * projection is of no head.
 * @param z `[B, T, H, D]`
 * @param weight W_O, `[d, H·D]`
 */
export function headOutputs(ops: Ops, z: F32, weight: Weight): F32 {
  const [sequences = 0, length = 0, heads = 0, width = 0] = z.shape;
  const d = weight.shape[0]!;
  const byHead = ops.permute(ops.reshape(ops.cast(weight, { dtype: "f32" }), { shape: [d, heads, width] }), {
    axes: [1, 2, 0],
  });
  const values = ops.reshape(ops.permute(z, { axes: [2, 0, 1, 3] }), { shape: [heads, sequences * length, width] });
  return ops.reshape(ops.matmul(values, byHead), { shape: [heads, sequences, length, d] });
}

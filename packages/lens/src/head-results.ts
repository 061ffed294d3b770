import type { Decoder } from "@lethe/decoder";
import { type F32, LetheError, matmul, permute, reshape } from "@lethe/tensor";
import { weightViews } from "./weight-views.ts";

/** @throws {LetheError} for a family in which the heads' outputs are normalised together before they are added to the residual stream */
export function checkHeadResults({ modules, label }: Decoder): void {
  if (modules.blocks[0]?.attention.normAfter)
    throw new LetheError(
      `${label} normalises the sum of its heads before it is added to the residual stream, so that no head adds a part of its own`,
    );
}

/** What each head adds to the residual stream, `[H, B, P, d]`, from `z [B, P, H, D]`. A bias of the output projection is of no head. */
export function headResults(model: Decoder, layer: number, z: F32): F32 {
  const [sequences = 0, positions = 0, heads = 0, width = 0] = z.shape;
  return model.device.scoped("head results", () => {
    const values = reshape(permute(z, { axes: [2, 0, 1, 3] }), { shape: [heads, sequences * positions, width] });
    const results: F32 = matmul(values, weightViews(model).W_O(layer));
    return reshape(results, { shape: [heads, sequences, positions, model.config.hidden_size] });
  });
}

import { type Decoder, headOutputs } from "@lethe/decoder";
import { type F32, LetheError, ops } from "@lethe/tensor";

/** @throws {LetheError} for a family in which the heads' outputs are normalised together before they are added to the residual stream */
export function checkHeadResults({ modules, label }: Decoder): void {
  if (modules.blocks[0]?.attention.normAfter)
    throw new LetheError(
      `${label} normalises the sum of its heads before it is added to the residual stream, so that no head adds a part of its own`,
    );
}

/** What each head adds to the residual stream, `[H, B, P, d]`, from `z [B, P, H, D]`. */
export function headResults({ device, modules }: Decoder, layer: number, z: F32): F32 {
  return device.scoped("head results", () => headOutputs(ops, z, modules.blocks[layer]!.attention.output.weight));
}

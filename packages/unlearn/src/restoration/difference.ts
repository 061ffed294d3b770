import type { Decoder } from "@lethe/decoder";
import { type F32, mse } from "@lethe/tensor";

/** A piece of the logits stays below this, so that a large vocabulary needs no second tensor as large as the vanilla logits. */
const PIECE_BYTES = 2 ** 24;

/** What is compared on the answer rows. */
interface Compared {
  /** The residual stream after the last block, `[R, d]`, of which `model` makes logits. */
  readonly resid: F32;
  /** The vanilla model's logits, `[R, V]`. */
  readonly vanilla: F32;
}

/**
 * Writes the mean squared difference of each row's logits into `losses` from element `at` on. The logits are made a few rows at a time.
 * @param pieceBytes of the logits that are made at once; a piece has one row at least
 */
export function writeDifferences(
  model: Decoder,
  { resid, vanilla }: Compared,
  losses: F32,
  at: number,
  pieceBytes = PIECE_BYTES,
): void {
  const { device } = model;
  const [count = 0, vocabulary = 0] = vanilla.shape;
  const most = Math.max(1, Math.floor(pieceBytes / (4 * vocabulary)));
  for (let start = 0; start < count; start += most) {
    using _ = device.scope("answer logits");
    const own = (x: F32) => rowsOf(x, start, Math.min(start + most, count));
    const differences = mse(own(vanilla), model.unembed(own(resid)), { reduction: "rows" });
    device.copyBytes(differences, 0, losses, 4 * (at + start), differences.bytes);
  }
}

/** Rows `start` to `end` of a matrix: itself where those are all, else a copy. */
function rowsOf(x: F32, start: number, end: number): F32 {
  const [count = 0, width = 0] = x.shape;
  if (end - start === count) return x;
  const rows = x.device.empty([end - start, width], "f32", x.label);
  x.device.copyBytes(x, 4 * start * width, rows, 0, rows.bytes);
  return rows;
}

import type { Decoder } from "@lethe/decoder";
import { type F32, mse, type Shape, type Tensor } from "@lethe/tensor";
import type { QuestionBatch } from "./questions.ts";

/** A piece of the logits stays below this, so that a large vocabulary needs no second tensor as large as the vanilla logits. */
const PIECE_BYTES = 2 ** 24;

interface Piece {
  /** Its first row among all answer rows. */
  readonly start: number;
  readonly rows: Tensor<readonly [number], "u32">;
}

/** Compares a model's logits on answer rows with the vanilla model's, a few rows at a time. */
export class LogitDifference implements Disposable {
  readonly #model: Decoder;
  readonly #questions: QuestionBatch;
  readonly #vanilla: F32;
  readonly #pieces: readonly Piece[];

  /**
   * @param vanilla logits on the answer rows, `[R, V]`
   * @param pieceBytes of the logits that are compared at once; a piece has one row at least
   */
  constructor(model: Decoder, questions: QuestionBatch, vanilla: F32, pieceBytes = PIECE_BYTES) {
    this.#model = model;
    this.#questions = questions;
    this.#vanilla = vanilla;
    const { device } = model;
    const [count] = questions.rows.shape;
    const most = Math.max(1, Math.floor(pieceBytes / (4 * vanilla.shape[1]!)));
    this.#pieces = Array.from({ length: Math.ceil(count / most) }, (_, i) => {
      const start = i * most;
      const rows = device.lasting([Math.min(most, count - start)], "u32", "answer rows");
      device.copyBytes(questions.rows, 4 * start, rows, 0, rows.bytes);
      return { start, rows };
    });
  }

  /** Writes the mean squared difference of each row into `losses` from element `at` on. @param resid after the last block, `[B, T, d]` */
  write(resid: F32, losses: F32, at: number): void {
    const { device, config } = this.#model;
    const [, width] = this.#vanilla.shape as Shape as [number, number];
    for (const { start, rows } of this.#pieces) {
      using _ = device.scope("answer logits");
      const fromLayer = config.num_hidden_layers;
      const logits = this.#model.forward(this.#questions.batch, { fromLayer, resid, rows });
      const [count] = rows.shape;
      const whole = count === this.#vanilla.shape[0];
      const vanilla = whole ? this.#vanilla : device.empty([count, width], "f32", "vanilla logits");
      if (!whole) device.copyBytes(this.#vanilla, 4 * start * width, vanilla, 0, vanilla.bytes);
      const own = mse(vanilla, logits as typeof vanilla, { reduction: "rows" });
      device.copyBytes(own, 0, losses, 4 * (at + start), own.bytes);
    }
  }

  [Symbol.dispose](): void {
    for (const { rows } of this.#pieces) rows.dispose();
  }
}

import type { Batch, Decoder, KVCache } from "@lethe/decoder";
import type { F32 } from "@lethe/tensor";
import { lossPerToken } from "../methods/per-token.ts";
import type { Run } from "./runs.ts";

/** Log-probabilities of the answers of runs, on the device until they are asked for. */
export class LogProbs implements Disposable {
  readonly #model: Decoder;
  readonly #losses: F32;
  readonly #runs: Run[] = [];
  #written = 0;

  /** @param tokens of the answers of all runs */
  constructor(model: Decoder, tokens: number) {
    this.#model = model;
    this.#losses = model.device.lasting([tokens], "f32", "losses of answers");
  }

  /** Runs a batch. The logits are computed at the rows that predict its answers, and are not whole in memory. @param cache which the batch follows or begins */
  add(batch: Batch, runs: readonly Run[], cache?: KVCache): void {
    // What a run shares is not in the batch.
    const rows = runs.flatMap(({ tokens, answer, prompt }, b) =>
      answer.map((_, i) => batch.row(b, prompt + i - 1 - (tokens.length - batch.lengths[b]!))),
    );
    const labels = runs.flatMap(({ answer }) => answer);
    const losses = lossPerToken(this.#model, batch, { rows, labels }, cache ? { cache } : {});
    this.#model.device.copyBytes(losses, 0, this.#losses, 4 * this.#written, losses.bytes);
    this.#written += rows.length;
    this.#runs.push(...runs);
  }

  /** The mean log-probability of each run's answer, in nats. */
  async read(): Promise<{ readonly run: Run; readonly logProb: number }[]> {
    const losses = await this.#losses.read();
    let place = 0;
    return this.#runs.map((run) => {
      const count = run.answer.length;
      const sum = losses.subarray(place, place + count).reduce((total, loss) => total + loss, 0);
      place += count;
      // 0 − x and not −x, which gives a negative zero.
      return { run, logProb: 0 - sum / count };
    });
  }

  [Symbol.dispose](): void {
    this.#losses.dispose();
  }
}

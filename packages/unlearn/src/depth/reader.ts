import type { Decoder } from "@lethe/decoder";
import { argmax, crossEntropy, type F32, gatherRows, LetheError, type Tensor } from "@lethe/tensor";
import { rowsOfPiece } from "../methods/per-token.ts";
import type { AnswerTokens } from "./answer-tokens.ts";

interface Piece {
  /** Its first token among all. */
  readonly start: number;
  readonly rows: Tensor<readonly [number], "u32">;
  readonly labels: Tensor<readonly [number], "i32">;
}

/** What a model's final norm and unembedding read from a residual stream at the rows of answer tokens. */
export interface TokenReadings {
  /** For each question the mean log-probability of its tokens, in nats. */
  readonly logProb: number[];
  /** For each question the share of its tokens that are the likeliest of the vocabulary. */
  readonly first: number[];
}

/** Reads residual streams through a model's final norm and unembedding, a few rows at a time: the logits are never whole in memory. */
export class TokenReader implements Disposable {
  readonly #model: Decoder;
  readonly #answers: AnswerTokens;
  readonly #pieces: readonly Piece[];

  constructor(model: Decoder, answers: AnswerTokens) {
    this.#model = model;
    this.#answers = answers;
    const { device, config } = model;
    const { rows, labels } = answers;
    const most = rowsOfPiece(config.vocab_size);
    this.#pieces = Array.from({ length: Math.ceil(labels.length / most) }, (_, i) => {
      const start = i * most;
      const shape = [Math.min(most, labels.length - start)] as const;
      const own = device.lasting(shape, "u32", "rows of answer tokens");
      device.copyBytes(rows, 4 * start, own, 0, own.bytes);
      const wanted = device.lasting(shape, "i32", "answer tokens");
      device.writeBytes(wanted, 0, new Uint8Array(Int32Array.from(labels.slice(start, start + shape[0])).buffer));
      return { start, rows: own, labels: wanted };
    });
  }

  /** The multiplications in the products of one reading. */
  get work(): number {
    const { hidden_size: width, vocab_size: vocabulary } = this.#model.config;
    return this.#answers.labels.length * width * vocabulary;
  }

  /** A place for so many readings. It belongs to the caller. */
  readings(count: number): Readings {
    return new Readings(this.#model, this.#answers, count);
  }

  /** Reads a stream. @param resid `[B, T, d]` */
  read(resid: F32, into: Readings, at: number): void {
    const width = resid.shape.at(-1)!;
    for (const { start, rows, labels } of this.#pieces) {
      using _ = this.#model.device.scope("answer tokens");
      const logits = this.#model.unembed(gatherRows(resid.reshape([resid.size / width, width]), rows));
      const losses = crossEntropy(logits, labels, { reduction: "none" });
      into.put(at, start, losses, argmax(logits));
    }
  }

  [Symbol.dispose](): void {
    for (const { rows, labels } of this.#pieces) {
      rows.dispose();
      labels.dispose();
    }
  }
}

/** Readings of one or more residual streams, on the device until they are asked for. */
export class Readings implements Disposable {
  readonly #answers: AnswerTokens;
  readonly #count: number;
  readonly #losses: F32;
  readonly #first: Tensor<readonly [number], "u32">;

  constructor({ device }: Decoder, answers: AnswerTokens, count: number) {
    this.#answers = answers;
    this.#count = count;
    const shape = [count * answers.labels.length] as const;
    this.#losses = device.lasting(shape, "f32", "losses of answer tokens");
    this.#first = device.lasting(shape, "u32", "likeliest tokens");
  }

  put(at: number, start: number, losses: F32, first: Tensor): void {
    const offset = 4 * (at * this.#answers.labels.length + start);
    const { device } = losses;
    device.copyBytes(losses, 0, this.#losses, offset, losses.bytes);
    device.copyBytes(first, 0, this.#first, offset, first.bytes);
  }

  /**
   * Waits for all readings.
   * @param nameOf what one is a reading of, for errors
   * @throws {LetheError} when a log-probability is not finite
   */
  async take(nameOf: (reading: number) => string): Promise<TokenReadings[]> {
    const [losses, first] = await Promise.all([this.#losses.read(), this.#first.read()]);
    const { labels } = this.#answers;
    return Array.from({ length: this.#count }, (_, reading) => {
      const from = reading * labels.length;
      // 0 − x and not −x, which gives a negative zero.
      const logProb = this.#answers.perQuestion(labels.map((_, i) => 0 - losses[from + i]!));
      const broken = logProb.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0)
        throw new LetheError(
          `${nameOf(reading)}: the log-probability of answer ${broken} is ${logProb[broken]}; the model's activations on it are NaN or too large`,
        );
      return { logProb, first: this.#answers.perQuestion(labels.map((label, i) => Number(first[from + i] === label))) };
    });
  }

  [Symbol.dispose](): void {
    this.#losses.dispose();
    this.#first.dispose();
  }
}

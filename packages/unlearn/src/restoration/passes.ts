import type { Decoder } from "@lethe/decoder";
import type { TensorSource } from "@lethe/hooks";
import { type F32, mse } from "@lethe/tensor";
import { writeDifferences } from "./difference.ts";
import type { QuestionBatch } from "./questions.ts";
import { Streams } from "./streams.ts";
import { alikeIn, repeatedHooks, type Window } from "./window.ts";

/** What the passes of one sweep share. */
interface PassesOptions {
  readonly unlearned: Decoder;
  readonly questions: QuestionBatch;
  /** The unlearned model's own run, with the residual stream that enters each layer. */
  readonly own: TensorSource;
  /** The vanilla model's logits on the answer rows, `[R, V]`. */
  readonly vanilla: F32;
  /** Waited for before each part of a pass, with the multiplications in that part. */
  readonly before: (work: number) => Promise<void>;
}

/** The forward passes of a sweep. A result is the mean squared difference of each answer row, `[windows · R]`; it belongs to the caller. */
export class RestoringPasses {
  readonly #options: PassesOptions;
  readonly #depth: number;
  readonly #layerWork: number;
  readonly #logitWork: number;

  constructor(options: PassesOptions) {
    const { unlearned, questions } = options;
    this.#options = options;
    const { config } = unlearned;
    this.#depth = config.num_hidden_layers;
    const { hidden_size: width, num_attention_heads: heads, num_key_value_heads: groups, head_dim } = config;
    const layer = 2 * (heads + groups) * head_dim * width + 3 * width * config.intermediate_size;
    this.#layerWork = questions.batch.ids.size * layer;
    this.#logitWork = questions.rows.size * width * config.vocab_size;
  }

  /** The multiplications in the products of a window's pass. */
  workOf({ first }: Window): number {
    return (this.#depth - first) * this.#layerWork + this.#logitWork;
  }

  /**
   * Runs windows side by side, layer by layer. Those that do the same in a layer are one batch there: the windows that a layer is part
   * of, and those that have it behind them. Each starts at its first layer, from the unlearned model's own residual stream.
   */
  async together(windows: readonly Window[]): Promise<F32> {
    const { unlearned, questions, own, vanilla, before } = this.#options;
    const { device } = unlearned;
    const entering = (layer: number) => own.tensorAt("resid_pre", layer) as F32;
    const rows = questions.rows.size;
    using streams = new Streams<Window>(device, entering(0).bytes);
    using ends = new Streams<Window>(device, 4 * rows * unlearned.config.hidden_size);
    for (let layer = windows[0]!.first; layer < this.#depth; layer++) {
      for (const window of windows) if (window.first === layer) streams.put([window], entering(layer));
      const begun = windows.filter(({ first }) => first <= layer);
      for (const { windows, hooks } of alikeIn(layer, begun)) {
        const times = windows.length;
        await before(times * this.#layerWork);
        const { batch, rows } = questions.repeated(times);
        using _ = device.scope(`restore in layer ${layer}`);
        const pass = { fromLayer: layer, resid: streams.take(windows), hooks: repeatedHooks(hooks, layer, times) };
        if (layer < this.#depth - 1) streams.put(windows, unlearned.forward(batch, { ...pass, upTo: layer + 1 }));
        else ends.put(windows, unlearned.forward(batch, { ...pass, upTo: "resid", rows }));
      }
    }
    await before(windows.length * this.#logitWork);
    using _ = device.scope("restored losses");
    const losses = device.empty([windows.length * rows], "f32", "restored losses");
    for (const [i, window] of windows.entries())
      writeDifferences(unlearned, { resid: ends.take([window]), vanilla }, losses, i * rows);
    return losses.retain();
  }

  /** Runs one window as one pass of the model, whatever its hooks do. */
  async alone(window: Window): Promise<F32> {
    const { unlearned, questions, own, vanilla, before } = this.#options;
    await before(this.workOf(window));
    const { first: fromLayer, hooks } = window;
    using _ = unlearned.device.scope(`restore around layer ${window.centre}`);
    const resid = own.tensorAt("resid_pre", fromLayer) as F32;
    const logits = unlearned.forward(questions.batch, { rows: questions.rows, hooks, fromLayer, resid });
    return mse(vanilla, logits, { reduction: "rows" }).retain();
  }
}

import type { Decoder } from "@lethe/decoder";
import { concat, type F32, gatherRows, LetheError, reshape, type Tensor } from "@lethe/tensor";
import { anyObject, atLeast, callable, checkedAsync, optional, options, unlessAborted } from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
import { Streams } from "../restoration/streams.ts";
import { windowsTogether } from "../restoration/together.ts";
import { sweepCentres } from "../restoration/window.ts";
import type { AnswerTokens } from "./answer-tokens.ts";
import type { RecordedStreams } from "./lens.ts";
import { TokenReader, type TokenReadings } from "./reader.ts";

export interface PatchOptions {
  /** The model that is patched and read. */
  readonly vanilla: Decoder;
  readonly answers: AnswerTokens;
  /** The vanilla model's own streams on these answers. */
  readonly own: RecordedStreams;
  /** The streams that are patched in: of an unlearned model, or of one that never learned it. */
  readonly source: RecordedStreams;
  /** From one patched layer to the next: 0, s, 2s, … Default: 1, every layer. */
  readonly stride?: number;
  /** Patches that go through the later layers as one batch. Default: as many as pay, by the size of their residual streams. */
  readonly together?: number;
  /** Called before each part of the work with the share that is done. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link patchStreams} measures. */
export interface PatchedAnswers {
  /** The layers after which the stream was patched, in ascending order. */
  readonly layers: number[];
  /** One entry for each of them: what the vanilla model makes of the answers then. */
  readonly patched: TokenReadings[];
}

/**
 * Patches another model's residual stream into the vanilla model after one layer at a time, only at the rows that predict the measured
 * answer tokens, and reads what the vanilla model makes of these tokens (arXiv 2605.24614). How much log-probability they lose says how
 * much of what the vanilla model needs for them is gone from the other model's stream at this layer.
 *
 * Layers up to the patch are the vanilla model's own, so a pass starts after it: L patches cost half of L passes. Patches go through the
 * later layers side by side where one alone would not fill the adapter.
 * @throws {LetheError} when the models differ in their layers, or a log-probability is not finite, with the layer and the question
 * @function
 */
export const patchStreams = checkedAsync(
  "patchStreams",
  {
    options: options({
      vanilla: decoder,
      answers: anyObject,
      own: anyObject,
      source: anyObject,
      stride: optional(atLeast(1)),
      together: optional(atLeast(1)),
      progress: optional(callable),
      signal,
    }),
  },
  async (options: PatchOptions): Promise<PatchedAnswers> => {
    const { vanilla, answers, own, source, stride = 1, progress, signal } = options;
    const { device, config } = vanilla;
    const depth = config.num_hidden_layers;
    if (source.after.length !== depth)
      throw new LetheError(
        `patchStreams: ${source.label} has ${source.after.length} layers and ${vanilla.label} has ${depth}; a stream is patched in at its own layer`,
      );
    const layers = sweepCentres(depth, stride);
    const { questions } = answers;
    const most = options.together ?? windowsTogether(questions.batch.ids.size * config.hidden_size);
    using reader = new TokenReader(vanilla, answers);
    using readings = reader.readings(layers.length);
    using patch = new Patch(own, source, answers);

    const { head_dim, num_attention_heads: heads, num_key_value_heads: groups, hidden_size: width } = config;
    const weights = 2 * (heads + groups) * head_dim * width + 3 * width * config.intermediate_size;
    const layerWork = questions.batch.ids.size * weights;
    const total = layers.reduce((sum, layer) => sum + (depth - 1 - layer) * layerWork + reader.work, 0);
    let done = 0;
    const before = async (work: number) => {
      progress?.(done / total);
      await device.ready(signal);
      done += work;
    };

    for (let at = 0; at < layers.length; at += most) {
      const part = layers.slice(at, at + most);
      using streams = new Streams<number>(device, own.after[0]!.bytes);
      for (let layer = part[0]!; layer < depth; layer++) {
        const begun = part.filter((patched) => patched < layer);
        await before(begun.length * layerWork);
        using _ = device.scope(`patched before layer ${layer}`);
        if (begun.length > 0) {
          const pass = { fromLayer: layer, upTo: layer + 1, resid: streams.take(begun) };
          streams.put(begun, vanilla.forward(questions.repeated(begun.length).batch, pass));
        }
        if (part.includes(layer)) streams.put([layer], patch.after(layer));
      }
      await before(part.length * reader.work);
      using _ = device.scope("patched answers");
      for (const [i, layer] of part.entries()) reader.read(streams.take([layer]), readings, at + i);
    }
    const patched = readings.take(
      (i) => `${vanilla.label} with the stream of ${source.label} after layer ${layers[i]}`,
    );
    return { layers, patched: await unlessAborted(patched, signal) };
  },
);

/** Puts one model's stream into another's at the rows of answer tokens. All other rows keep every bit. */
class Patch implements Disposable {
  readonly #own: RecordedStreams;
  readonly #source: RecordedStreams;
  readonly #rows: Tensor<readonly [number], "u32">;

  constructor(own: RecordedStreams, source: RecordedStreams, { places, questions: { batch } }: AnswerTokens) {
    this.#own = own;
    this.#source = source;
    const { size } = batch.ids;
    const rows = Uint32Array.from({ length: size }, (_, row) => row);
    for (const place of places) rows[place] = size + place;
    const { device } = batch.ids;
    this.#rows = device.lasting([size], "u32", "patched rows");
    device.writeBytes(this.#rows, 0, new Uint8Array(rows.buffer));
  }

  /** The patched stream after a layer, `[B, T, d]`. */
  after(layer: number): F32 {
    const own = this.#own.after[layer]!;
    const [sequences, columns, width] = own.shape as readonly [number, number, number];
    const flat = (x: F32) => reshape(x, { shape: [sequences * columns, width] });
    const both = concat(flat(own), flat(this.#source.after[layer]!), { axis: 0 });
    return reshape(gatherRows(both, this.#rows), { shape: own.shape });
  }

  [Symbol.dispose](): void {
    this.#rows.dispose();
  }
}

import type { Decoder } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import { anyObject, callable, checked, checkedAsync, optional, options, unlessAborted } from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
import type { AnswerTokens } from "./answer-tokens.ts";
import { TokenReader, type TokenReadings } from "./reader.ts";

/** The residual streams of a model's run on answered questions. */
export interface RecordedStreams extends Disposable {
  /** The model's name. */
  readonly label: string;
  /** The stream after each layer, `[B, T, d]`. They belong to this object. */
  readonly after: readonly F32[];
}

/** Runs a model on answered questions and keeps its residual stream after each layer. The caller disposes of them. @function */
export const recordStreams = checked(
  "recordStreams",
  { model: decoder, answers: anyObject },
  (model: Decoder, { questions }: AnswerTokens): RecordedStreams => {
    const captures = new Captures(`the run of ${model.label}`);
    const { num_hidden_layers: depth } = model.config;
    using _ = model.device.scope("residual streams");
    model.forward(questions.batch, { hooks: new Hooks().capture("resid_post", captures), upTo: "resid" });
    return {
      label: model.label,
      after: Array.from({ length: depth }, (_, layer) => captures.get("resid_post", layer)),
      [Symbol.dispose]: () => captures.dispose(),
    };
  },
);

export interface LensOptions {
  /** The model whose final norm and unembedding read the streams. Default: the model's own. */
  readonly through?: Decoder;
  /** The model's streams, where they are recorded already. Default: the model is run. */
  readonly streams?: RecordedStreams;
  /** Called before each layer with the share of the work that is done. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The logit lens (nostalgebraist 2020): the final norm and the unembedding on the residual stream after every layer, as if the model ended
 * there. Only the rows that predict the measured answer tokens are read.
 * @returns one entry for each layer
 * @throws {LetheError} when a log-probability is not finite, with the layer and the question
 * @function
 */
export const logitLens = checkedAsync(
  "logitLens",
  {
    model: decoder,
    answers: anyObject,
    options: options({
      through: optional(decoder),
      streams: optional(anyObject),
      progress: optional(callable),
      signal,
    }),
  },
  async (model: Decoder, answers: AnswerTokens, options: LensOptions = {}): Promise<TokenReadings[]> => {
    const { through = model, progress, signal } = options;
    using own = options.streams ? null : recordStreams(model, answers);
    const { after, label } = (options.streams ?? own)!;
    using reader = new TokenReader(through, answers);
    using readings = reader.readings(after.length);
    for (const [layer, stream] of after.entries()) {
      progress?.(layer / after.length);
      await through.device.ready(signal);
      reader.read(stream, readings, layer);
    }
    return await unlessAborted(
      readings.take((layer) => `the logit lens on ${label} after layer ${layer}`),
      signal,
    );
  },
);

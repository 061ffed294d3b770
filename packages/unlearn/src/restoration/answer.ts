import { batchOf, type Decoder, fewLengths } from "@lethe/decoder";
import { LetheError } from "@lethe/tensor";
import { anyObject, atLeast, checked, optional, options } from "@lethe/tensor/checked";
import { decoder, signal, tokens } from "../kinds.ts";
import { recordRun } from "./recorded-run.ts";
import type { Setting } from "./settings/setting.ts";
import { windowOf } from "./window.ts";

/** A restoration whose answer is read. */
export interface RestoredPart {
  readonly setting: Setting;
  /** The centre layer of the window. */
  readonly centre: number;
  /** Layers restored on either side of the centre. */
  readonly radius: number;
}

export interface RestoredAnswerOptions {
  readonly vanilla: Decoder;
  readonly unlearned: Decoder;
  /** The tokens of the prompt. */
  readonly prompt: readonly number[];
  /** What is restored. Default: nothing, so that the unlearned model answers by itself. */
  readonly restored?: RestoredPart | undefined;
  /** The answer ends here, unless one of the unlearned model's stop tokens comes before. */
  readonly maxTokens: number;
  /** How many of the likeliest tokens each step names. Default: 5. */
  readonly top?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A token that could come next, and its probability, from 0 to 1. */
export interface Likely {
  readonly token: number;
  readonly probability: number;
}

/** One token of an answer. */
export interface AnswerStep {
  /** The token that was taken: the likeliest. */
  readonly token: number;
  /** Whether it ends the answer. */
  readonly stops: boolean;
  /** Its probability in this pass, in the unlearned model as it is, and in the vanilla model, after the same tokens; from 0 to 1. */
  readonly probability: number;
  readonly unlearned: number;
  readonly vanilla: number;
  /** The likeliest tokens of this pass, the likeliest first. */
  readonly likeliest: readonly Likely[];
}

/**
 * Lets the unlearned model answer greedily with a part of it restored, token by token. Before each token the vanilla model reads the prompt
 * and the answer so far, and its activations are put back in the window, at every position, as a sweep of the restoration does it on given
 * answers. So the vanilla model never chooses a token: it only lends what is restored. A token costs a pass of each model, and one with the
 * restoration.
 * @throws {LetheError} when logits are not finite
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const restoredAnswer = checked(
  "restoredAnswer",
  {
    options: options({
      vanilla: decoder,
      unlearned: decoder,
      prompt: tokens,
      restored: optional(options({ setting: anyObject, centre: atLeast(0), radius: atLeast(0) })),
      maxTokens: atLeast(1),
      top: optional(atLeast(1)),
      signal,
    }),
  },
  async function* (given: RestoredAnswerOptions): AsyncGenerator<AnswerStep, void, void> {
    const { vanilla, unlearned, prompt, restored, maxTokens, top = 5, signal } = given;
    const read: number[] = [...prompt];
    for (let step = 0; step < maxTokens; step++) {
      await unlearned.device.ready(signal);
      const [own, others, last] = await nextTokens(vanilla, unlearned, read, restored);
      const [likeliest, before, wanted] = [probabilities(last), probabilities(own), probabilities(others)];
      const ranked = [...likeliest.keys()].sort((a, b) => likeliest[b]! - likeliest[a]!).slice(0, top);
      const token = ranked[0]!;
      const stops = unlearned.stopTokens.includes(token);
      yield {
        token,
        stops,
        probability: likeliest[token]!,
        unlearned: before[token]!,
        vanilla: wanted[token]!,
        likeliest: ranked.map((one) => ({ token: one, probability: likeliest[one]! })),
      };
      if (stops) return;
      read.push(token);
    }
  },
);

/** The logits after the last token, `[V]` each: of the unlearned model, of the vanilla model, and with the restoration. */
async function nextTokens(
  vanilla: Decoder,
  unlearned: Decoder,
  read: readonly number[],
  restored: RestoredPart | undefined,
): Promise<[Float32Array, Float32Array, Float32Array]> {
  const { device } = unlearned;
  const reading: Promise<Float32Array>[] = [];
  {
    using _ = device.scope("restored answer");
    const batch = batchOf(device, [read], { padTo: fewLengths });
    const rows = device.tensor([batch.row(0, -1)], [1], "u32", "last row");
    const { setting } = restored ?? {};
    using own = recordRun(unlearned, { batch, rows }, setting?.own ?? [], "the unlearned run");
    using others = recordRun(vanilla, { batch, rows }, setting?.vanilla ?? [], "the vanilla run");
    const context = { depth: unlearned.config.num_hidden_layers, vanilla: others, own };
    const hooks = restored && windowOf(restored.setting, restored.centre, restored.radius, context).hooks;
    const last = hooks ? unlearned.forward(batch, { rows, hooks }) : own.logits;
    for (const logits of [own.logits, others.logits, last]) reading.push(logits.read() as Promise<Float32Array>);
  }
  return Promise.all(reading) as Promise<[Float32Array, Float32Array, Float32Array]>;
}

/** The softmax of logits, in float64. */
function probabilities(logits: Float32Array): Float64Array {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(largest) || logits.some(Number.isNaN))
    throw new LetheError("restoredAnswer: a model's logits after the answer so far are NaN or too large");
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

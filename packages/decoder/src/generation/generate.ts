import type { Hooks } from "@lethe/hooks";
import {
  ops as kernels,
  type MemoryNeed,
  memoryFits,
  type Ops,
  randomOf,
  requireMemory,
  type Tensor,
} from "@lethe/tensor";
import { unlessAborted } from "@lethe/tensor/checked";
import { LogitsError, ModelUseError } from "../errors.ts";
import { type Batch, batchOf, fewLengths, stepOf } from "../pass/batch.ts";
import type { KVCache } from "../pass/cache.ts";
import type { Model } from "../pass/model.ts";
import { lastRows, likeliest } from "./likeliest.ts";
import { largestOf, type Sampling, sample } from "./sampling.ts";

/** How a prompt is continued. */
export interface GenerateOptions extends Sampling {
  /** Default: 64. */
  readonly maxNewTokens?: number;
  /** Seed of the draws. Default: 0. */
  readonly seed?: number;
  /** Tokens that end a sequence. Default: the model's own. */
  readonly stop?: readonly number[];
  /** Hooks of every pass: the first over the prompts, each later one over one new column. */
  readonly hooks?: Hooks;
  /** Stops the generation at once; it then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The operations that compute every pass; they must not record gradients. Default: the kernels. */
  readonly ops?: Ops;
}

/** How a model continued one prompt. */
export interface Generation {
  /** New tokens, without the one that ended them. */
  readonly tokens: readonly number[];
  /** The token that ended the sequence; `null` when it ran to `maxNewTokens`. */
  readonly stop: number | null;
}

/**
 * Continues sequences of tokens together, one column at a time, with a KV cache that grows with them. Generations on one device may run
 * at the same time.
 * @yields for each column the new token of each sequence; `null` once that sequence has ended. A sequence's last token is the one
 *   that ended it.
 * @throws {ModelUseError} for options outside their range
 * @throws {OutOfMemoryError} before the first token, when a cache for all of them does not fit the device; it says how many do
 * @throws {LogitsError} when the logits after a token are NaN or all −∞. A single −∞ only masks its token, and +∞ forces it.
 * @throws the reason of `signal` when it is aborted
 */
export async function* generateTokens(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<(number | null)[], void, undefined> {
  const { maxNewTokens = 64, stop = model.stopTokens, seed = 0 } = options;
  checkOptions(maxNewTokens, options);
  if (maxNewTokens === 0 || prompts.length === 0) return;
  const { device } = model;
  const random = randomOf(seed, "sampling");
  const lengths = prompts.map(({ length }) => length);
  const columns = fewLengths(Math.max(...lengths));
  const starts = lengths.map((length) => columns - length);
  const ended = prompts.map(() => false);
  requireRoom(model, prompts.length, columns, maxNewTokens);
  using cache = model.newCache(prompts.length, columns + maxNewTokens - 1);
  const choose = async (batch: () => Batch, count: number): Promise<number[]> => {
    options.signal?.throwIfAborted();
    const choices = await choicesAfter(model, batch, cache, options);
    return choices.map(({ largest, draw }, b) => {
      const uniform = random();
      // NaN is not above −∞ either.
      if (!ended[b] && !(largest > Number.NEGATIVE_INFINITY))
        throw new LogitsError(`generate: sequence ${b}`, { sequence: b, token: lengths[b]! + count - 1 });
      return ended[b] ? 0 : draw(uniform);
    });
  };
  let next = await choose(() => batchOf(device, prompts, { padTo: () => columns }), 0);
  for (let count = 1; ; count++) {
    yield next.map((token, b) => (ended[b] ? null : token));
    for (const [b, token] of next.entries()) ended[b] ||= stop.includes(token);
    if (count === maxNewTokens || ended.every(Boolean)) return;
    const tokens = next;
    const cached = { starts, lengths: lengths.map((length) => length + count - 1) };
    next = await choose(() => stepOf(device, tokens, cached), count);
  }
}

/** Continues sequences of tokens to their ends; see {@link generateTokens}. */
export async function generateAll(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<Generation[]> {
  const stops = options.stop ?? model.stopTokens;
  const made = prompts.map(() => ({ tokens: [] as number[], stop: null as number | null }));
  for await (const column of generateTokens(model, prompts, options)) {
    for (const [b, token] of column.entries()) {
      if (token === null) continue;
      if (stops.includes(token)) made[b]!.stop = token;
      else made[b]!.tokens.push(token);
    }
  }
  return made;
}

/** What one row of logits offers. */
export interface Choice {
  /** Its largest logit; NaN where any is. */
  readonly largest: number;
  /** The next token, for a number in [0, 1). */
  readonly draw: (uniform: number) => number;
}

/** Runs a batch and reads, in one wait, the choice after each sequence's last token. */
export async function choicesAfter(
  model: Model,
  batch: () => Batch,
  cache: KVCache,
  options: Pick<GenerateOptions, "hooks" | "ops" | "signal" | keyof Sampling>,
): Promise<Choice[]> {
  const greedy = !options.temperature;
  // The scope closes before the wait: meanwhile other work on the device may open a scope.
  using read = lastLogits(model, batch, cache, options, greedy);
  const count = cache.batch;
  if (greedy) {
    const words = (await unlessAborted(read.read(), options.signal)) as Uint32Array;
    const largest = new Float32Array(words.buffer, 4 * count, count);
    return Array.from(largest, (value, b) => ({ largest: value, draw: () => words[b]! }));
  }
  const values = (await unlessAborted(read.read(), options.signal)) as Float32Array;
  const width = values.length / count;
  return Array.from({ length: count }, (_, b) => {
    const row = values.subarray(b * width, (b + 1) * width);
    return { largest: largestOf(row), draw: (uniform) => sample(row, options, uniform) };
  });
}

/** The logits after each sequence's last token, V of each, or, for greedy decoding, {@link likeliest}. */
function lastLogits(
  model: Model,
  make: () => Batch,
  cache: KVCache,
  { hooks, ops = kernels }: Pick<GenerateOptions, "hooks" | "ops">,
  greedy: boolean,
): Tensor {
  const { device } = model;
  using _scope = device.scope("generate");
  const batch = make();
  const logits = model.forward(batch, { ops, cache, ...lastRows(device, batch, hooks) });
  return (greedy ? likeliest(logits, 1, ops) : logits).retain();
}

/** The memory of the longest continuation. */
export function memoryNeeds(model: Model, sequences: number, columns: number, maxNewTokens: number): MemoryNeed[] {
  return model.memoryToGenerate(sequences, columns, columns + maxNewTokens - 1);
}

/** Checks that there is memory for the longest continuation. */
export function requireRoom(model: Model, sequences: number, columns: number, maxNewTokens: number): void {
  const { device } = model;
  const needs = (tokens: number) => memoryNeeds(model, sequences, columns, tokens);
  const advice = () => {
    let [fits, tooMany] = [0, maxNewTokens];
    while (tooMany - fits > 1) {
      const middle = Math.floor((fits + tooMany) / 2);
      if (memoryFits(device, needs(middle))) fits = middle;
      else tooMany = middle;
    }
    return fits > 0 ? `Take at most ${fits.toLocaleString("en-US")} new tokens.` : "Take fewer or shorter prompts.";
  };
  const work = `generating up to ${maxNewTokens.toLocaleString("en-US")} tokens with ${model.label}`;
  requireMemory(device, work, needs(maxNewTokens), advice);
}

export function checkOptions(maxNewTokens: number, { temperature = 0, topK = 1, topP = 1 }: GenerateOptions): void {
  const refuse = (name: string, value: number, expected: string) => {
    throw new ModelUseError(`generate: ${name} is ${value}, expected ${expected}`);
  };
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 0)
    refuse("maxNewTokens", maxNewTokens, "a whole number from 0");
  if (!(temperature >= 0 && temperature < Infinity))
    refuse("temperature", temperature, "a finite number from 0 (greedy)");
  if (!Number.isInteger(topK) || topK < 1) refuse("topK", topK, "a whole number from 1");
  if (!(topP > 0 && topP <= 1)) refuse("topP", topP, "a probability above 0 and up to 1");
}

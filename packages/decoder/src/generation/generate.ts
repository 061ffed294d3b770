import type { Hooks } from "@lethe/hooks";
import { ops as kernels, type Ops, randomOf, type Tensor } from "@lethe/tensor";
import { ModelUseError } from "../errors.ts";
import { type Batch, batchOf, stepOf } from "../pass/batch.ts";
import type { KVCache } from "../pass/cache.ts";
import type { Model } from "../pass/model.ts";
import { type Sampling, sample } from "./sampling.ts";

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
  /** Stops the generation before its next pass; the generation then fails with the signal's reason. */
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
 * Continues sequences of tokens together, one column at a time, with a KV cache that is allocated once. Generations on one device may
 * run at the same time.
 * @yields for each column the new token of each sequence; `null` once that sequence has ended. A sequence's last token is the one
 *   that ended it.
 * @throws {ModelUseError} for options outside their range
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
  const columns = Math.max(...lengths);
  const starts = lengths.map((length) => columns - length);
  const ended = prompts.map(() => false);
  using cache = model.newCache(prompts.length, columns + maxNewTokens - 1);
  let next = await nextTokens(model, () => batchOf(device, prompts), cache, options, random);
  for (let count = 1; ; count++) {
    yield next.map((token, b) => (ended[b] ? null : token));
    for (const [b, token] of next.entries()) ended[b] ||= stop.includes(token);
    if (count === maxNewTokens || ended.every(Boolean)) return;
    const tokens = next;
    const cached = { starts, lengths: lengths.map((length) => length + count - 1) };
    next = await nextTokens(model, () => stepOf(device, tokens, cached), cache, options, random);
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

async function nextTokens(
  model: Model,
  batch: () => Batch,
  cache: KVCache,
  options: GenerateOptions,
  random: () => number,
): Promise<number[]> {
  options.signal?.throwIfAborted();
  const greedy = !options.temperature;
  // The scope closes before the wait: meanwhile other work on the device may open a scope.
  using chosen = lastLogits(model, batch, cache, options, greedy);
  const values = await chosen.read();
  if (greedy) return [...values];
  const width = model.config.vocab_size;
  return Array.from({ length: values.length / width }, (_, b) =>
    sample((values as Float32Array).subarray(b * width, (b + 1) * width), options, random()),
  );
}

/** The logits after each sequence's last token `[B, V]` or, for greedy decoding, the index of the largest `[B]`. */
function lastLogits(
  model: Model,
  make: () => Batch,
  cache: KVCache,
  { hooks, ops = kernels }: GenerateOptions,
  greedy: boolean,
): Tensor {
  const { device } = model;
  using _scope = device.scope("generate");
  const batch = make();
  const last = batch.lengths.map((_, b) => batch.row(b, -1));
  const rows = device.tensor(last, [last.length], "u32", "last rows");
  const logits = model.forward(batch, { ops, cache, rows, ...(hooks ? { hooks } : {}) });
  return (greedy ? ops.argmax(logits) : logits).retain();
}

function checkOptions(maxNewTokens: number, { temperature = 0, topK = 1, topP = 1 }: GenerateOptions): void {
  const refuse = (name: string, value: number, expected: string) => {
    throw new ModelUseError(`generate: ${name} is ${value}, expected ${expected}`);
  };
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 0)
    refuse("maxNewTokens", maxNewTokens, "a whole number from 0");
  if (!(temperature >= 0)) refuse("temperature", temperature, "a number from 0 (greedy)");
  if (!Number.isInteger(topK) || topK < 1) refuse("topK", topK, "a whole number from 1");
  if (!(topP > 0 && topP <= 1)) refuse("topP", topP, "a probability above 0 and up to 1");
}

import type { Hooks } from "@lethe/hooks";
import { ops as kernels, type Ops, type Tensor } from "@lethe/tensor";
import { type Batch, batchOf, stepOf } from "./batch.ts";
import type { Decoder } from "./decoder.ts";
import { ModelUseError } from "./errors.ts";
import type { KVCache } from "./kv-cache.ts";
import { type Sampling, sample, uniforms } from "./sampling.ts";

/** How a text goes on. */
export interface GenerateOptions extends Sampling {
  /** Default: 64. */
  readonly maxNewTokens?: number;
  /** Seed of the draws. Default: 0. */
  readonly seed?: number;
  /** Tokens that end a sequence. Default: the model's own. */
  readonly stop?: readonly number[];
  /** At work in every pass: over the prompts, then over one column at a time. */
  readonly hooks?: Hooks;
  /** What computes; see `ForwardOptions`. It must not record. Default: the kernels. */
  readonly ops?: Ops;
}

/** What a model made of one prompt. */
export interface Generation {
  /** New tokens, without the one that ended them. */
  readonly tokens: readonly number[];
  /** The token that ended it; `null` when it ran to `maxNewTokens`. */
  readonly stop: number | null;
}

/**
 * Continues sequences of tokens together, one column at a time, with a KV cache that is allocated once.
 * @yields for each column the new token of each sequence; `null` once that sequence has ended. A sequence's last token is the one
 *   that ended it.
 * @throws {ModelUseError} for options outside their range
 */
export async function* generateTokens(
  model: Decoder,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<(number | null)[], void, undefined> {
  const { maxNewTokens = 64, stop = model.stopTokens, seed = 0 } = options;
  checkOptions(maxNewTokens, options);
  if (maxNewTokens === 0 || prompts.length === 0) return;
  const { device } = model;
  const uniform = uniforms(seed);
  const lengths = prompts.map(({ length }) => length);
  const columns = Math.max(...lengths);
  const starts = lengths.map((length) => columns - length);
  const ended = prompts.map(() => false);
  using cache = model.newCache(prompts.length, columns + maxNewTokens - 1);
  let next = await nextTokens(model, () => batchOf(device, prompts), cache, options, uniform);
  for (let count = 1; ; count++) {
    yield next.map((token, b) => (ended[b] ? null : token));
    for (const [b, token] of next.entries()) ended[b] ||= stop.includes(token);
    if (count === maxNewTokens || ended.every(Boolean)) return;
    const tokens = next;
    const cached = { starts, lengths: lengths.map((length) => length + count - 1) };
    next = await nextTokens(model, () => stepOf(device, tokens, cached), cache, options, uniform);
  }
}

/** Continues sequences of tokens to their ends; see {@link generateTokens}. */
export async function generateAll(
  model: Decoder,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
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
  model: Decoder,
  batch: () => Batch,
  cache: KVCache,
  options: GenerateOptions,
  uniform: () => number,
): Promise<number[]> {
  const greedy = !options.temperature;
  // The scope ends before the wait, so that other work on the device may open its own meanwhile.
  using chosen = lastLogits(model, batch, cache, options, greedy);
  const values = await chosen.read();
  if (greedy) return [...values];
  const width = model.config.vocab_size;
  return Array.from({ length: values.length / width }, (_, b) =>
    sample((values as Float32Array).subarray(b * width, (b + 1) * width), options, uniform()),
  );
}

/** Logits after each sequence's last token `[B, V]` or, when only the largest counts, their indices `[B]`. */
function lastLogits(
  model: Decoder,
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

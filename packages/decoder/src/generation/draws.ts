import { type Ops, type Random, randomOf, requireMemory } from "@lethe/tensor";
import { LogitsError, ModelUseError } from "../errors.ts";
import { batchOf, fewLengths, stepOf } from "../pass/batch.ts";
import type { Model } from "../pass/model.ts";
import { type Choice, checkOptions, choicesAfter, type Generation, memoryNeeds } from "./generate.ts";
import { type CachedSequence, movedCache, WORTH_MOVING } from "./moved-cache.ts";
import type { Sampling } from "./sampling.ts";

/** How continuations of prompts are drawn. */
export interface DrawOptions extends Sampling {
  /** Continuations of each prompt. */
  readonly samples: number;
  /** Default: 64. */
  readonly maxNewTokens?: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** The logits are divided by it. Default: 1, the model's own distribution. */
  readonly temperature?: number;
  /** Tokens that end a sequence. Default: the model's own. */
  readonly stop?: readonly number[];
  /** Continuations that are drawn together. Default: 64. */
  readonly batchSize?: number;
  /** Called after each pass over the sequences that have not ended. */
  readonly onPass?: (() => void) | undefined;
  /** Stops at once; it then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The operations that compute every pass; they must not record gradients. Default: the kernels. */
  readonly ops?: Ops;
}

/** One continuation. */
interface Draw {
  /** The number of its prompt. */
  readonly prompt: number;
  readonly random: Random;
  readonly tokens: number[];
  stop: number | null;
  ended: boolean;
}

/** A continuation, and where it is in the cache. */
interface Row extends CachedSequence {
  readonly draw: Draw;
}

/**
 * Draws continuations of prompts, several of each. A prompt is computed once for all of its continuations in a batch, and sequences that have
 * ended leave the batch.
 *
 * Each continuation has random numbers of its own, by the seed, its prompt and its number. So the same seed gives the same continuations on
 * the same adapter, whichever prompts are drawn for beside this one. Another batch size changes the last bits of logits, and so a
 * continuation in the rare case in which a random number falls within those bits between two tokens.
 * @returns for each prompt its continuations
 * @throws {ModelUseError} for options outside their range
 * @throws {OutOfMemoryError} before a batch's first token, when its caches do not fit the device
 * @throws {LogitsError} when the logits after a token are NaN or all −∞; `sequence` is the number of the prompt
 * @throws the reason of `signal` when it is aborted
 */
export async function drawContinuations(
  model: Model,
  prompts: readonly (readonly number[])[],
  options: DrawOptions,
): Promise<Generation[][]> {
  const { samples, seed, batchSize = 64 } = options;
  check(options);
  const draws = prompts.map((tokens, prompt) =>
    Array.from({ length: samples }, (_, sample): Draw => {
      return { prompt, random: randomOf(seed, "draws", tokens.join(), sample), tokens: [], stop: null, ended: false };
    }),
  );
  const all = draws.flat();
  for (let first = 0; first < all.length; first += batchSize)
    await finish(model, prompts, all.slice(first, first + batchSize), options);
  return draws.map((own) => own.map(({ tokens, stop }) => ({ tokens, stop })));
}

/** Draws continuations together to their ends. */
async function finish(
  model: Model,
  prompts: readonly (readonly number[])[],
  draws: readonly Draw[],
  options: DrawOptions,
): Promise<void> {
  const { device } = model;
  const { maxNewTokens = 64, stop = model.stopTokens, temperature = 1, onPass, signal } = options;
  if (maxNewTokens === 0) return;
  const own = [...new Set(draws.map(({ prompt }) => prompt))];
  const asked = own.map((prompt) => prompts[prompt]!);
  const columns = fewLengths(Math.max(...asked.map(({ length }) => length)));
  requireRoom(model, { prompts: own.length, columns, draws: draws.length, maxNewTokens });
  const settle = ({ draw }: Row, { largest, draw: choose }: Choice) => {
    const { prompt, tokens } = draw;
    // NaN is not above −∞ either.
    if (!(largest > Number.NEGATIVE_INFINITY))
      throw new LogitsError(`draw: prompt ${prompt}`, {
        sequence: prompt,
        token: prompts[prompt]!.length + tokens.length - 1,
      });
    const token = choose(draw.random());
    if (stop.includes(token)) draw.stop = token;
    else tokens.push(token);
    draw.ended = draw.stop !== null || tokens.length === maxNewTokens;
  };

  let cache = model.newCache(own.length, columns);
  try {
    signal?.throwIfAborted();
    const passOptions = { ...options, temperature };
    let choices = await choicesAfter(model, () => batchOf(device, asked, { padTo: () => columns }), cache, passOptions);
    let rows = draws.map((draw): Row => {
      const { length } = prompts[draw.prompt]!;
      return { draw, from: own.indexOf(draw.prompt), start: columns - length, length };
    });
    for (let prompted = true; ; prompted = false) {
      for (const row of rows) if (!row.draw.ended) settle(row, choices[row.from]!);
      onPass?.();
      const live = rows.filter(({ draw }) => !draw.ended);
      if (live.length === 0) return;
      // The cache of the prompts has each of them once.
      if (prompted || live.length <= WORTH_MOVING * rows.length) {
        const more = Math.max(...live.map(({ draw }) => maxNewTokens - draw.tokens.length));
        const moved = movedCache(model, cache, live, more);
        cache.dispose();
        cache = moved.cache;
        rows = live.map((row, from) => ({ ...row, from, start: moved.starts[from]! }));
      }
      signal?.throwIfAborted();
      const newest = rows.map(({ draw }) => (draw.ended ? 0 : draw.tokens.at(-1)!));
      const cached = { starts: rows.map(({ start }) => start), lengths: rows.map(({ length }) => length) };
      choices = await choicesAfter(model, () => stepOf(device, newest, cached), cache, passOptions);
      rows = rows.map((row) => ({ ...row, length: row.length + 1 }));
    }
  } finally {
    cache.dispose();
  }
}

interface Sizes {
  readonly prompts: number;
  readonly columns: number;
  readonly draws: number;
  readonly maxNewTokens: number;
}

/** Checks that there is memory for the pass over the prompts, and for the cache of the continuations twice, as when sequences leave it. */
function requireRoom(model: Model, { prompts, columns, draws, maxNewTokens }: Sizes): void {
  const steps = model.memoryToGenerate(draws, 1, columns + maxNewTokens - 1);
  const moved = steps.filter(({ part }) => part === "KV cache");
  const needs = [...memoryNeeds(model, prompts, columns, 1), ...steps, ...moved];
  const work = `drawing ${draws} continuations of up to ${maxNewTokens.toLocaleString("en-US")} tokens with ${model.label}`;
  requireMemory(model.device, work, needs, () => "Take a smaller `batchSize`.");
}

function check({ samples, maxNewTokens = 64, batchSize = 64, ...options }: DrawOptions): void {
  for (const [name, value] of Object.entries({ samples, batchSize }))
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ModelUseError(`draw: ${name} is ${value}, expected a whole number from 1`);
  checkOptions(maxNewTokens, options);
}

import { ops as kernels, memoryFits, type Ops, type Tensor } from "@lethe/tensor";
import { batchOf, fewLengths, stepOf } from "../pass/batch.ts";
import type { KVCache } from "../pass/cache.ts";
import type { Model } from "../pass/model.ts";
import { dependsOnLength, readRope } from "../pass/rope.ts";
import { checkOptions, type Generation, memoryNeeds, requireRoom } from "./generate.ts";
import { greedyToken, type Leader, leadersOf, readLeaders } from "./leaders.ts";
import { lastRows, rowsOf } from "./likeliest.ts";
import { type CachedSequence, movedCache, WORTH_MOVING } from "./moved-cache.ts";

/** How prompts are continued greedily. */
export interface GreedyOptions {
  /** Default: 64. */
  readonly maxNewTokens?: number;
  /** Tokens that end a sequence. Default: the model's own. */
  readonly stop?: readonly number[];
  /**
   * For each prompt the tokens with which the model may continue it, such as the answer of a model that is much like it; none where there
   * is no guess. They change how long it takes, and never the result.
   */
  readonly guesses?: readonly (readonly number[])[];
  /** Called after each pass over the sequences that have not ended. */
  readonly onPass?: (() => void) | undefined;
  /** Stops at once; it then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The operations that compute every pass, in f32; they must not record gradients. Default: the kernels. */
  readonly ops?: Ops;
}

/** One prompt and what it is continued with. */
interface Sequence {
  readonly index: number;
  readonly prompt: readonly number[];
  readonly tokens: number[];
  stop: number | null;
  ended: boolean;
}

/** A sequence, and where it is in the cache. */
interface Row extends CachedSequence {
  readonly sequence: Sequence;
}

/**
 * Continues sequences of tokens together with the likeliest token each time. Guesses are checked in one pass; from the first token
 * that differs, decoding goes on with a KV cache. Sequences that have ended leave the batch.
 *
 * The result is a function of the weights and of each prompt alone: a token is that of the largest logit of a pass over the sequence by
 * itself. Kernels differ with the shape of a batch, and the last bits of logits with them. So where two logits are so close that those
 * bits could decide, that pass is made (`greedyToken`); there `generate` takes what its own batch gives. Where rotary frequencies
 * change with the length (dynamic scaling beyond the trained length), a pass with a cache computes something else than one without;
 * such sequences are continued as `generate` does, without guesses.
 * @throws {ModelUseError} for options outside their range
 * @throws {OutOfMemoryError} before the first token, when a cache for all of them does not fit the device
 * @throws {LogitsError} when the logits after a token are NaN or all −∞
 * @throws the reason of `signal` when it is aborted
 */
export async function continueGreedily(
  model: Model,
  prompts: readonly (readonly number[])[],
  options: GreedyOptions = {},
): Promise<Generation[]> {
  const { maxNewTokens = 64, stop = model.stopTokens, guesses = [], onPass, signal, ops = kernels } = options;
  checkOptions(maxNewTokens, {});
  const sequences = prompts.map((prompt, index): Sequence => {
    return { index, prompt, tokens: [], stop: null, ended: false };
  });
  if (maxNewTokens === 0 || prompts.length === 0) return sequences;
  const columns = Math.max(...prompts.map(({ length }) => length));
  const passesAgree = !dependsOnLength(readRope(model.config).rope!, columns + maxNewTokens);
  // The last token that there may be is followed by none, so a guess of it is of no use.
  const guessed = prompts.map((_, b) =>
    passesAgree ? inVocabulary(model, guesses[b]).slice(0, maxNewTokens - 1) : [],
  );
  const plan = planCache(model, prompts, guessed, maxNewTokens);

  /** Decides a sequence's next token. */
  const settle = async (sequence: Sequence, leader: Leader): Promise<number> => {
    const tokens = [...sequence.prompt, ...sequence.tokens];
    const token = await greedyToken(model, leader, { sequence: sequence.index, tokens, passesAgree, ops, signal });
    if (stop.includes(token)) sequence.stop = token;
    else sequence.tokens.push(token);
    sequence.ended = sequence.stop !== null || sequence.tokens.length === maxNewTokens;
    return token;
  };

  let cache = model.newCache(prompts.length, plan.columns + maxNewTokens - 1);
  try {
    signal?.throwIfAborted();
    const checked = await readAll(firstPass(model, cache, prompts, plan, ops), signal);
    let next = 0;
    for (const sequence of sequences) {
      const guess = plan.guesses[sequence.index]!;
      const leaders = checked.slice(next, next + guess.length + 1);
      next += leaders.length;
      for (const [i, leader] of leaders.entries())
        if ((await settle(sequence, leader)) !== guess[i] || sequence.ended) break;
    }
    let rows = sequences.map((sequence, b): Row => {
      const start = plan.columns - sequence.prompt.length - plan.guesses[b]!.length;
      // The newest token of one that goes on is not in the cache yet.
      const length = sequence.ended ? plan.columns - start : sequence.prompt.length + sequence.tokens.length - 1;
      return { sequence, from: b, start, length };
    });
    for (let aligned = plan.guesses.every(({ length }) => length === 0); ; aligned = true) {
      onPass?.();
      const live = rows.filter(({ sequence }) => !sequence.ended);
      if (live.length === 0) return sequences.map(({ tokens, stop }) => ({ tokens, stop }));
      if (!aligned || (passesAgree && plan.movable && live.length <= WORTH_MOVING * rows.length)) {
        const more = Math.max(...live.map(({ sequence }) => maxNewTokens - sequence.tokens.length));
        const moved = movedCache(model, cache, live, more);
        cache.dispose();
        cache = moved.cache;
        rows = live.map((row, from) => ({ ...row, from, start: moved.starts[from]! }));
      }
      signal?.throwIfAborted();
      const leaders = await readLeaders(step(model, cache, rows, ops), signal);
      for (const [b, { sequence }] of rows.entries()) if (!sequence.ended) await settle(sequence, leaders[b]!);
      rows = rows.map((row) => ({ ...row, length: row.length + 1 }));
    }
  } finally {
    cache.dispose();
  }
}

/** A guess up to the first token that is none of the model's: it may be of a model with another vocabulary. */
function inVocabulary({ config }: Model, guess: readonly number[] = []): readonly number[] {
  const unknown = guess.findIndex((token) => !(token >= 0 && token < config.vocab_size));
  return unknown < 0 ? guess : guess.slice(0, unknown);
}

/** What the first pass reads, and whether sequences can be moved to another cache afterwards. */
interface CachePlan {
  readonly guesses: readonly (readonly number[])[];
  readonly columns: number;
  readonly movable: boolean;
}

/** Where memory is too short for guesses and a second cache, neither is used. */
function planCache(
  model: Model,
  prompts: readonly (readonly number[])[],
  guesses: readonly (readonly number[])[],
  maxNewTokens: number,
): CachePlan {
  const columnsOf = (own: readonly (readonly number[])[]) =>
    fewLengths(Math.max(...prompts.map(({ length }, b) => length + own[b]!.length)));
  const columns = columnsOf(guesses);
  const needs = memoryNeeds(model, prompts.length, columns, maxNewTokens);
  const moved = needs.filter(({ part }) => part === "KV cache");
  if (memoryFits(model.device, [...needs, ...moved])) return { guesses, columns, movable: true };
  const none = prompts.map(() => []);
  requireRoom(model, prompts.length, columnsOf(none), maxNewTokens);
  return { guesses: none, columns: columnsOf(none), movable: false };
}

/**
 * Runs prompts and guesses into an empty cache.
 * @returns the leaders after each prompt and after each token of its guess, in as many tensors as keep the logits of each small
 */
function firstPass(
  model: Model,
  cache: KVCache,
  prompts: readonly (readonly number[])[],
  { guesses, columns }: CachePlan,
  ops: Ops,
): Tensor[] {
  const { device } = model;
  using _scope = device.scope("generate");
  const sequences = prompts.map((prompt, b) => [...prompt, ...guesses[b]!]);
  const batch = batchOf(device, sequences, { padTo: () => columns });
  const rows = guesses.flatMap((guess, b) =>
    Array.from({ length: guess.length + 1 }, (_, i) => batch.row(b, i - guess.length - 1)),
  );
  const resid = model.forward(batch, { ops, cache, rows: rowsOf(device, rows), upTo: "resid" });
  const pieces: Tensor[] = [];
  // As many rows at a time as there are prompts: no more logits than a pass over the prompts has.
  for (let start = 0; start < rows.length; start += prompts.length)
    pieces.push(
      device.scoped("logits", () => {
        const own = { axis: 0, start, end: Math.min(start + prompts.length, rows.length) };
        return leadersOf(model.unembed(ops.slice(resid, own), { ops }), ops);
      }),
    );
  return pieces.map((piece) => piece.retain());
}

async function readAll(pieces: readonly Tensor[], signal: AbortSignal | undefined): Promise<Leader[]> {
  const read = await Promise.all(pieces.map((piece) => readLeaders(piece, signal)));
  return read.flat();
}

/** Runs the newest token of each sequence, and a token that nobody reads of those that have ended. */
function step(model: Model, cache: KVCache, rows: readonly Row[], ops: Ops): Tensor {
  const { device } = model;
  using _scope = device.scope("generate");
  const newest = rows.map(({ sequence }) => (sequence.ended ? 0 : sequence.tokens.at(-1)!));
  const lengths = rows.map(({ length }) => length);
  const batch = stepOf(device, newest, { starts: rows.map(({ start }) => start), lengths });
  return leadersOf(model.forward(batch, { ops, cache, ...lastRows(device, batch) }), ops).retain();
}

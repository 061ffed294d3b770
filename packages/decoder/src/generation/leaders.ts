import type { F32, Ops, Tensor } from "@lethe/tensor";
import { unlessAborted } from "@lethe/tensor/checked";
import { LogitsError } from "../errors.ts";
import { batchOf, fewLengths } from "../pass/batch.ts";
import type { Model } from "../pass/model.ts";
import { lastRows, likeliest } from "./likeliest.ts";

/** The largest logit of a row, its token, and how far it leads the second. */
export interface Leader {
  readonly token: number;
  readonly largest: number;
  readonly lead: number;
}

/** Each row's two largest logits, to be read by {@link readLeaders}. */
export function leadersOf(logits: F32, ops: Ops): Tensor {
  return likeliest(logits, 2, ops);
}

/** Reads what {@link leadersOf} computed, and disposes of it. */
export async function readLeaders(both: Tensor, signal: AbortSignal | undefined): Promise<Leader[]> {
  using _ = both;
  const words = (await unlessAborted(both.read(), signal)) as Uint32Array;
  const values = new Float32Array(words.buffer, 2 * words.length, words.length / 2);
  return Array.from({ length: words.length / 4 }, (_, row) => {
    const [largest, second] = values.subarray(2 * row, 2 * row + 2) as unknown as [number, number];
    return { token: words[2 * row]!, largest, lead: largest - second };
  });
}

/**
 * A lead as large as this share of the largest logit, or of 1, is the same whichever kernels computed the pass: whether the tokens before came
 * from a cache, and what else was in the batch. Those change a logit’s last bits. On the tiny models, with and without noise, and on fresh ones
 * of 24 blocks, the change was at most 1.2e-5 of the largest logit, on two adapters.
 */
const CLEAR_LEAD = 5e-4;

interface Decision {
  /** The sequence's number, for the error. */
  readonly sequence: number;
  readonly tokens: readonly number[];
  /** Whether every pass computes the same but for the last bits. If not, the leader is taken as it is. */
  readonly passesAgree: boolean;
  readonly ops: Ops;
  readonly signal: AbortSignal | undefined;
}

/**
 * The greedy token after a sequence: that of the largest logit of a pass over the sequence alone. Where the lead is clear, any pass shows
 * it. Where it is not, that pass is made.
 * @throws {LogitsError} when the logits are NaN or all −∞
 */
export async function greedyToken(
  model: Model,
  { largest, lead, token }: Leader,
  { sequence, tokens, passesAgree, ops, signal }: Decision,
): Promise<number> {
  // NaN is not above −∞ either.
  if (!(largest > Number.NEGATIVE_INFINITY))
    throw new LogitsError(`generate: sequence ${sequence}`, { sequence, token: tokens.length - 1 });
  if (!passesAgree || lead > CLEAR_LEAD * Math.max(1, Math.abs(largest))) return token;
  using alone = tokenAlone(model, tokens, ops);
  return ((await unlessAborted(alone.read(), signal)) as Uint32Array)[0]!;
}

function tokenAlone(model: Model, tokens: readonly number[], ops: Ops): Tensor {
  const { device } = model;
  using _scope = device.scope("near tie");
  const batch = batchOf(device, [tokens], { padTo: fewLengths });
  const logits = model.forward(batch, { ops, ...lastRows(device, batch) });
  return ops.argmax(logits).retain();
}

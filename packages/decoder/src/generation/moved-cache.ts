import { fewLengths } from "../pass/batch.ts";
import type { KVCache } from "../pass/cache.ts";
import type { Model } from "../pass/model.ts";

/** When no more than this share of the cache's sequences goes on, the others leave it. */
export const WORTH_MOVING = 0.75;

/** A sequence in a cache: its number there, the column of its first token, and how many of its tokens are there. */
export interface CachedSequence {
  readonly from: number;
  readonly start: number;
  readonly length: number;
}

/**
 * Copies sequences to a cache of their own, where all end at the same column.
 * @param live those that go on; one may be there more than once
 * @param more columns for which there is to be room after that
 * @returns the cache, and where each of them begins in it
 */
export function movedCache(
  model: Model,
  cache: KVCache,
  live: readonly CachedSequence[],
  more: number,
): { readonly cache: KVCache; readonly starts: readonly number[] } {
  const columns = fewLengths(Math.max(...live.map(({ length }) => length)));
  const moved = model.newCache(live.length, columns + more);
  moved.take(cache, live, columns);
  return { cache: moved, starts: live.map(({ length }) => columns - length) };
}

import { fail } from "./errors.ts";

/** Steps, items and 64s of characters that one rendering may take; a long conversation takes a hundredth. */
const most = 2_000_000;
/** The longest text that a template may make. */
const longestText = 2 ** 25;
const deepestCalls = 100;

// A rendering never waits, so that one count is enough.
let left = 0;
let depth = 0;

/** Begins a rendering. A template without end, or one that makes too much, ends with an error within seconds. */
export function beginWork(): void {
  left = most;
  depth = 0;
}

/** Counts steps, or items that are made or read. */
export function spend(steps: number): void {
  left -= steps;
  if (!(left >= 0)) fail(`takes more than ${most} steps`);
}

/** Counts a text of this length, before it is made. */
export function spendText(length: number): void {
  if (!(length <= longestText)) fail(`makes a text of more than ${longestText} characters`);
  spend(1 + length / 64);
}

/** Counts a search for a text in another. The worst case compares each character of one with each of the other. */
export function spendSearch(length: number, sought: number): void {
  spendText(length);
  spend((length * sought) / 4096);
}

/** Counts each item that is read. */
export function* counted<T>(items: Iterable<T>): IterableIterator<T> {
  for (const item of items) {
    spend(1);
    yield item;
  }
}

/** Calls a macro, which may call itself. */
export function nested<T>(body: () => T): T {
  if (depth >= deepestCalls) fail(`calls macros within macros more than ${deepestCalls} deep`);
  depth++;
  const result = body();
  depth--;
  return result;
}

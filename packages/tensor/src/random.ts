/** A source of numbers in [0, 1). */
export type Random = () => number;

/**
 * Seeded random numbers: Tommy Ettinger's mulberry32, started from the FNV-1a hash of the key. Each purpose takes a key of its
 * own (`randomOf(seed, "pretraining", epoch)`), so that its draws do not depend on those of other purposes.
 */
export function randomOf(...key: readonly (number | string)[]): Random {
  let state = fnv1a(key.join("/"));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for what takes a whole number of at least 0, such as `randomNormal`, from a key: its numbers may be negative. See {@link randomOf}. */
export function seedOf(...key: readonly (number | string)[]): number {
  return integerBelow(2 ** 32, randomOf(...key));
}

/** A new array with the items in random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = integerBelow(last + 1, random);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

/** An integer from 0 to `limit` − 1, each equally likely. */
export function integerBelow(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

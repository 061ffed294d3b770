/** A map of at most so many entries. The one that was not used for the longest time goes first. */
export class Recent<K, V> {
  readonly #most: number;
  /** The longest unused first. */
  readonly #entries = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, which counts as used. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
    this.shrink(this.#most);
  }

  /** Lets go of all but the last `most` that were used. */
  shrink(most: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= most) return;
      this.#entries.delete(key);
    }
  }

  /** Lets go of the entries of which a test holds. */
  forget(test: (value: V) => boolean): void {
    for (const [key, value] of this.#entries) if (test(value)) this.#entries.delete(key);
  }
}

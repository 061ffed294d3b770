/** Measures how fast tokens go through a model, for the line of progress. */
export class Meter {
  readonly #startedAt = performance.now();
  #tokens = 0;

  /** Counts tokens that are done. @returns tokens a second since the meter was made */
  add(tokens: number): number {
    this.#tokens += tokens;
    return this.#tokens / Math.max(1e-3, (performance.now() - this.#startedAt) / 1000);
  }
}

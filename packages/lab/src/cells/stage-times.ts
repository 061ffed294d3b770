/** Adds up the time spent under each stage's name. */
export class StageTimes {
  readonly #startedAt = new Date();
  readonly #milliseconds = new Map<string, number>();
  #stage = "starting";
  #since = performance.now();

  enter(stage: string): void {
    const now = performance.now();
    this.#milliseconds.set(this.#stage, (this.#milliseconds.get(this.#stage) ?? 0) + now - this.#since);
    this.#stage = stage;
    this.#since = now;
  }

  stop() {
    this.enter("");
    const stages = [...this.#milliseconds].map(([stage, time]) => [stage, seconds(time)] as const);
    const total = [...this.#milliseconds.values()].reduce((sum, time) => sum + time, 0);
    return { startedAt: this.#startedAt.toISOString(), seconds: seconds(total), stages: Object.fromEntries(stages) };
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}

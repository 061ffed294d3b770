import { MultiBar, Presets, type SingleBar } from "cli-progress";
import { formatDuration } from "./duration.ts";

/** Shows how far a long run is. */
export interface ProgressDisplay {
  /**
   * @param done the number of finished parts, plus the share of the running one that is done
   * @param part the running one: a cell, a step
   * @param details its stage, and figures that are known at the moment
   */
  update(done: number, part: string, ...details: readonly string[]): void;
  /** Says how many seconds the whole run will take, by a forecast. Without one, the time left comes from the share that is done. */
  expect(seconds: number): void;
  /** Prints a line that stays. */
  line(text: string): void;
  stop(): void;
}

/** On a terminal a bar with the time left; elsewhere a plain line from time to time. */
export function showProgress(stream: NodeJS.WriteStream, parts: number): ProgressDisplay {
  return stream.isTTY ? new Bar(stream, parts) : new PlainLines(stream, parts);
}

class Bar implements ProgressDisplay {
  readonly #bars: MultiBar;
  readonly #bar: SingleBar;
  readonly #time = new TimeLeft();
  readonly #parts: number;

  constructor(stream: NodeJS.WriteStream, parts: number) {
    this.#parts = parts;
    const format = "{bar} {percentage}% · {left} · {part} · {details}";
    this.#bars = new MultiBar({ format, stream, hideCursor: true, barsize: 24, fps: 5 }, Presets.shades_classic);
    this.#bar = this.#bars.create(parts, 0, { left: "", part: "", details: "" });
  }

  update(done: number, part: string, ...details: readonly string[]): void {
    this.#bar.update(done, { left: this.#time.after(done / this.#parts), part, details: details.join(" · ") });
  }

  expect(seconds: number): void {
    this.#time.expect(seconds);
  }

  line(text: string): void {
    this.#bars.log(`${text}\n`);
    this.#bars.update();
  }

  stop(): void {
    this.#bars.stop();
  }
}

/** A line is promised every 30 seconds. The rest is for a host that is busy when the timer ends. */
const PLAIN_LINE_EVERY_MS = 25_000;

class PlainLines implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #parts: number;
  readonly #time = new TimeLeft();
  #latest: { readonly done: number; readonly texts: readonly string[] } | undefined;
  #lastLine = performance.now();
  // Work may report nothing for longer than a line may take.
  readonly #timer = setInterval(() => this.#lineWhenDue(), 1000).unref();

  constructor(stream: NodeJS.WriteStream, parts: number) {
    this.#stream = stream;
    this.#parts = parts;
  }

  update(done: number, ...texts: readonly string[]): void {
    this.#latest = { done, texts };
    this.#lineWhenDue();
  }

  expect(seconds: number): void {
    this.#time.expect(seconds);
  }

  line(text: string): void {
    this.#lastLine = performance.now();
    this.#stream.write(`${text}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #lineWhenDue(): void {
    if (!this.#latest || performance.now() - this.#lastLine < PLAIN_LINE_EVERY_MS) return;
    const { done, texts } = this.#latest;
    const share = done / this.#parts;
    this.line([`${Math.floor(share * 100)}%`, this.#time.after(share), ...texts].join(" · "));
  }
}

/** Before this share of the work is done, the time left cannot be estimated from it. */
const ESTIMATE_FROM = 0.01;

/** Estimates the time left. */
class TimeLeft {
  readonly #startedAt = performance.now();
  #forecast: number | undefined;

  expect(seconds: number): void {
    this.#forecast = seconds;
  }

  /**
   * The time left after a share of the work. The forecast counts for less, the more is done: its total and the total that the time so far
   * suggests are mixed as (1 − share) to share.
   */
  after(share: number): string {
    const soFar = (performance.now() - this.#startedAt) / 1000;
    if (this.#forecast !== undefined)
      return `${formatDuration((1 - share) * ((1 - share) * this.#forecast + soFar))} left`;
    if (share < ESTIMATE_FROM) return "estimating";
    return `${formatDuration((soFar * (1 - share)) / share)} left`;
  }
}

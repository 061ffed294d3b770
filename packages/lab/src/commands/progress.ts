import { MultiBar, Presets, type SingleBar } from "cli-progress";

/** Shows how far a long run is. */
export interface ProgressDisplay {
  /**
   * @param done the number of finished parts, plus the share of the running one that is done
   * @param part the running one: a cell, a step
   */
  update(done: number, part: string, stage: string): void;
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
  readonly #startedAt = performance.now();
  readonly #parts: number;

  constructor(stream: NodeJS.WriteStream, parts: number) {
    this.#parts = parts;
    const format = "{bar} {percentage}% · {left} · {part} · {stage}";
    this.#bars = new MultiBar({ format, stream, hideCursor: true, barsize: 24, fps: 5 }, Presets.shades_classic);
    this.#bar = this.#bars.create(parts, 0, { left: "", part: "", stage: "" });
  }

  update(done: number, part: string, stage: string): void {
    const left = timeLeft(this.#startedAt, done / this.#parts);
    this.#bar.update(done, { left, part, stage });
  }

  line(text: string): void {
    this.#bars.log(`${text}\n`);
    this.#bars.update();
  }

  stop(): void {
    this.#bars.stop();
  }
}

const PLAIN_LINE_EVERY_MS = 30_000;

class PlainLines implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #parts: number;
  readonly #startedAt = performance.now();
  #lastLine = performance.now();

  constructor(stream: NodeJS.WriteStream, parts: number) {
    this.#stream = stream;
    this.#parts = parts;
  }

  update(done: number, part: string, stage: string): void {
    if (performance.now() - this.#lastLine < PLAIN_LINE_EVERY_MS) return;
    const share = done / this.#parts;
    this.line(`${Math.floor(share * 100)}% · ${timeLeft(this.#startedAt, share)} · ${part} · ${stage}`);
  }

  line(text: string): void {
    this.#lastLine = performance.now();
    this.#stream.write(`${text}\n`);
  }

  stop(): void {}
}

/** Before this share of the work is done, the time left cannot be estimated. */
const ESTIMATE_FROM = 0.01;

function timeLeft(startedAt: number, share: number): string {
  if (share < ESTIMATE_FROM) return "estimating";
  const seconds = (((performance.now() - startedAt) / 1000) * (1 - share)) / share;
  return `${formatDuration(seconds)} left`;
}

/** “45 s”, “3 min 20 s”, “2 h 05 min”. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

import type { Start } from "./faults.ts";

/** A finished batch of commands. */
export interface Submission {
  /** The recorder's number of the batch. */
  readonly batch: number;
  /** Commands in it. */
  readonly commands: number;
  /** Gives it to the device. */
  readonly submit: () => void;
}

/** So many milliseconds of work may be in flight: enough that the device never waits for the host, and few to wait for at an end. */
const mostInFlight = 1000;
/** In batches: two, so that the device has the next one when it ends one; and no more than the host can keep account of. */
const batchesInFlight = { least: 2, most: 32 };
/** A batch is cut so that it takes about so many milliseconds, which leaves several of them to be in flight. */
const batchMilliseconds = 200;
/** The first batch after a pause is short, so that the device begins soon; each later one may have twice as many. */
const commandsInBatch = { least: 2, first: 32, most: 256 };
/** Weight of what was measured before, when the next batch is done. */
const memory = 0.8;

/**
 * The recorded work in its order. A bounded part of it is in flight on the device; the rest is held back here, where it can still be
 * dropped. Work that must keep its place between batches, such as an upload, waits in the same row.
 */
export class Submissions {
  readonly #start: Start;
  readonly #workDone: () => Promise<unknown>;
  readonly #onDone: (batch: number) => void;
  readonly #row: (Submission | (() => void))[] = [];
  readonly #flying = { batches: 0, commands: 0 };
  /** Each is called whenever the row or the work in flight got shorter. */
  readonly #watchers = new Set<() => void>();
  /** Sums that fade. They begin with a guess for a large model, so that its first second is no minute. */
  readonly #measured = { milliseconds: 640, commands: 64 };
  readonly #held = { batches: 0, commands: 0 };
  #lastDone = 0;
  #dropped = false;
  /** Number of the last batch that was submitted. */
  submitted = -1;

  /**
   * @param workDone resolves when the device has done what was submitted before
   * @param onDone is called with the number of each batch that is done
   */
  constructor(start: Start, workDone: () => Promise<unknown>, onDone: (batch: number) => void) {
    this.#start = start;
    this.#workDone = workDone;
    this.#onDone = onDone;
  }

  /** Batches on the device, and those that wait for their turn. */
  get counts(): { readonly inFlight: number; readonly held: number } {
    return { inFlight: this.#flying.batches, held: this.#held.batches };
  }

  /** Commands that wait for their turn. */
  get heldCommands(): number {
    return this.#held.commands;
  }

  /** How many commands the next batch may have. */
  get batchSize(): number {
    const { least, first, most } = commandsInBatch;
    const usual = Math.max(least, Math.round(batchMilliseconds / this.#perCommand));
    return Math.min(most, usual, first * 2 ** this.#flying.batches);
  }

  /** Takes a batch, or work that comes after the batches so far. */
  push(entry: Submission | (() => void)): void {
    if (this.#dropped) return;
    this.#row.push(entry);
    if (typeof entry !== "function") this.#hold(1, entry.commands);
    this.#advance();
  }

  /** Drops what is not submitted, and all that comes. */
  drop(): void {
    this.#dropped = true;
    this.#row.length = 0;
    this.#hold(-this.#held.batches, -this.#held.commands);
    this.#tell();
  }

  /** Resolves when a batch has been submitted, or dropped. */
  afterSubmit(batch: number): Promise<void> {
    return this.#until(() => this.submitted >= batch);
  }

  /** Resolves when no batch is held back. */
  underBound(): Promise<void> {
    return this.#until(() => this.#row.length === 0);
  }

  /** Resolves when the next batch is done, of those in flight. */
  nextDone(): Promise<void> {
    const { batches } = this.#flying;
    return this.#until(() => this.#flying.batches < batches);
  }

  get #perCommand(): number {
    return this.#measured.milliseconds / this.#measured.commands;
  }

  #mayFly(): boolean {
    const { batches, commands } = this.#flying;
    if (batches < batchesInFlight.least) return true;
    return batches < batchesInFlight.most && commands * this.#perCommand < mostInFlight;
  }

  #advance(): void {
    let next = 0;
    try {
      for (; next < this.#row.length; next++) {
        const entry = this.#row[next]!;
        if (typeof entry === "function") entry();
        else if (this.#mayFly()) this.#submit(entry);
        else break;
      }
    } finally {
      this.#row.splice(0, next);
    }
    if (next > 0) this.#tell();
  }

  #submit({ batch, commands, submit }: Submission): void {
    this.#hold(-1, -commands);
    submit();
    this.submitted = batch;
    this.#flying.batches++;
    this.#flying.commands += commands;
    const sent = performance.now();
    const land = () => {
      const now = performance.now();
      this.#measured.milliseconds = this.#measured.milliseconds * memory + now - Math.max(sent, this.#lastDone);
      this.#measured.commands = this.#measured.commands * memory + commands;
      this.#lastDone = now;
      this.#flying.batches--;
      this.#flying.commands -= commands;
      this.#onDone(batch);
      this.#advance();
      this.#tell();
    };
    this.#start(this.#workDone).then(land, land); // A device that is lost says so by itself.
  }

  #hold(batches: number, commands: number): void {
    this.#held.batches += batches;
    this.#held.commands += commands;
  }

  #until(reached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watcher = () => {
        if (!this.#dropped && !reached()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

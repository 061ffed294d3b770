// A driver may pay for a bind group with a memory mapping of its own (Mesa's software adapter does), and Linux allows a process 65,530 of
// them; past that, the driver fails in ways that end the process. WebGPU cannot destroy a bind group: it is freed when JavaScript has
// collected its object and the device has done the last batch that uses it. So all three are counted: those kept for further use, those
// that are not collected yet, and those that a batch still needs.

/** A bind group, for as long as the driver has it. */
export interface Life {
  /** Number of the last batch that uses it. */
  lastUse: number;
  readonly census: Census;
}

/** Counts the bind groups that the driver has, for one device. */
export class Census {
  /** Of all devices. */
  static total = 0;
  static readonly #collected = new FinalizationRegistry<Life>(({ lastUse, census }) => census.#end(lastUse));
  /** Collected groups that a batch still needs, by the batch. */
  readonly #needed = new Map<number, number>();
  #done = -1;
  #ended = false;
  alive = 0;

  begin(group: object, lastUse: number): Life {
    const life = { lastUse, census: this };
    Census.#collected.register(group, life);
    this.#count(1);
    return life;
  }

  /** The device has done all batches up to this one. */
  batchDone(batch: number): void {
    if (this.#ended) return;
    this.#done = batch;
    for (const [needed, count] of this.#needed) {
      if (needed > batch) continue;
      this.#needed.delete(needed);
      this.#count(-count);
    }
  }

  /** The device is gone, and the driver has freed all that was its own. */
  end(): void {
    this.#ended = true;
    this.#count(-this.alive);
  }

  #end(lastUse: number): void {
    if (this.#ended) return;
    if (lastUse <= this.#done) this.#count(-1);
    else this.#needed.set(lastUse, (this.#needed.get(lastUse) ?? 0) + 1);
  }

  #count(more: number): void {
    this.alive += more;
    Census.total += more;
  }
}

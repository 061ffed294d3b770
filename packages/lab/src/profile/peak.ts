import type { Device } from "@lethe/tensor";

/** Bytes in use by the label of the tensor that took them. */
export type LiveBytes = ReadonlyMap<string, number>;

/** What a device holds at one moment. */
export interface Held {
  readonly bytes: number;
  readonly live: LiveBytes;
  /** The stage of the work. */
  readonly stage: string;
}

/**
 * Keeps account of what a device holds from now on, until it is disposed of, to say what was there when it held the most. Each buffer that is
 * taken or given back is noted: for work of a limited length.
 */
export class PeakLog implements Disposable {
  /** To which the next moments belong. */
  stage = "";
  readonly #device: Device;
  readonly #before: LiveBytes;
  /** Labels and bytes of buffers that were taken; bytes are negative where one was given back. */
  readonly #events: (readonly [label: string, bytes: number])[] = [];
  #highest: { readonly bytes: number; readonly stage: string; readonly events: number };

  constructor(device: Device) {
    this.#device = device;
    this.#before = liveBytes(device);
    const { pool } = device;
    this.#highest = { bytes: pool.bytesInUse, stage: "", events: 0 };
    const own = Object.getPrototypeOf(pool) as typeof pool;
    const labels = new Map<object, string>();
    pool.take = (bytes, label, exact) => {
      const buffer = own.take.call(pool, bytes, label, exact);
      labels.set(buffer, label);
      this.#note(label, buffer.bytes);
      return buffer;
    };
    pool.give = (buffer) => {
      const label = labels.get(buffer);
      if (label !== undefined) this.#note(label, -buffer.bytes);
      labels.delete(buffer);
      own.give.call(pool, buffer);
    };
  }

  /** What there was when it was the most. What was there before this log is counted as if it had stayed. */
  get peak(): Held {
    const { bytes, stage, events } = this.#highest;
    const live = new Map(this.#before);
    for (const [label, change] of this.#events.slice(0, events)) live.set(label, (live.get(label) ?? 0) + change);
    return { bytes, live: new Map([...live].filter(([, held]) => held > 0)), stage };
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(this.#device.pool, "take");
    Reflect.deleteProperty(this.#device.pool, "give");
  }

  #note(label: string, bytes: number): void {
    this.#events.push([label, bytes]);
    const { bytesInUse } = this.#device.pool;
    if (bytesInUse > this.#highest.bytes)
      this.#highest = { bytes: bytesInUse, stage: this.stage, events: this.#events.length };
  }
}

/** What a device holds now. */
export function liveBytes(device: Device): LiveBytes {
  return new Map(Array.from(device.memory().live, ([label, { bytes }]) => [label, bytes]));
}

import type { Device } from "@lethe/tensor";

/** What a stage took. */
export interface Stage {
  readonly name: string;
  readonly seconds: number;
  /** The most that tensors held on the device. */
  readonly deviceBytes: number;
  /** The most that the JavaScript heap and array buffers held. Weights on a software adapter are not in it. */
  readonly hostBytes: number;
}

/** How often the host's memory is looked at, in milliseconds. */
const lookEvery = 5;

/** Runs stages one after another and measures what each takes. */
export class Stages {
  readonly done: Stage[] = [];
  readonly #device: Device;
  readonly #show: (stage: Stage) => void;

  constructor(device: Device, show: (stage: Stage) => void) {
    this.#device = device;
    this.#show = show;
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#device.pool.resetPeak();
    let hostBytes = 0;
    const look = () => {
      const { heapUsed, external } = process.memoryUsage(); // External memory has the array buffers in it.
      hostBytes = Math.max(hostBytes, heapUsed + external);
    };
    const looking = setInterval(look, lookEvery);
    const startedAt = performance.now();
    try {
      const made = await work();
      await this.#device.idle();
      look();
      const stage = {
        name,
        seconds: (performance.now() - startedAt) / 1000,
        deviceBytes: this.#device.memory().peakBytes,
        hostBytes,
      };
      this.done.push(stage);
      this.#show(stage);
      return made;
    } finally {
      clearInterval(looking);
    }
  }
}

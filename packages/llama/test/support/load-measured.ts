/**
 * `load-measured.ts DIRECTORY [f32]` loads a model and prints its cost as JSON. It is a process of its own, so that nothing else is
 * counted.
 */
import { openDevice } from "@lethe/tensor";
import { loadLlama } from "../../src/index.ts";

/** The cost of a load: seconds, and bytes. */
export interface Measured {
  readonly adapter: string;
  readonly software: boolean;
  readonly seconds: number;
  /** Peak of heap and array buffers together. */
  readonly peakHeap: number;
  /** Peak of resident memory before the load, and after it. */
  readonly residentBefore: number;
  readonly residentPeak: number;
  readonly uploaded: number;
  readonly bytesInUse: number;
  /** Each weight with the words that it begins and ends with on the device. */
  readonly weights: readonly { name: string; dtype: string; bytes: number; first: number; last: number }[];
}

const [directory, dtype] = process.argv.slice(2);
const device = await openDevice();
const { queue } = device.gpu;

let peakHeap = 0;
const sample = () => {
  const { heapUsed, external } = process.memoryUsage(); // External memory has the array buffers in it.
  peakHeap = Math.max(peakHeap, heapUsed + external);
};
let uploaded = 0;
const writeBuffer = queue.writeBuffer.bind(queue) as (...call: unknown[]) => undefined;
queue.writeBuffer = (...call: unknown[]) => {
  uploaded += call[4] as number;
  sample();
  return writeBuffer(...call);
};

const sampler = setInterval(sample, 2);
const residentBefore = process.resourceUsage().maxRSS * 1024;
const begin = performance.now();
const model = await loadLlama(device, directory!, dtype === "f32" ? { dtype } : {});
const seconds = (performance.now() - begin) / 1000;
const residentPeak = process.resourceUsage().maxRSS * 1024;
clearInterval(sampler);
const { bytesInUse } = device.memory();

// Only the first and last words are read back: whole weights would count as heap.
const ends = device.empty([2 * model.weights.size], "u32");
for (const [i, weight] of [...model.weights.values()].entries()) {
  device.copyBytes(weight, 0, ends, 8 * i, 4);
  device.copyBytes(weight, weight.bytes - 4, ends, 8 * i + 4, 4);
}
const words = await ends.read();
const weights = [...model.weights].map(([name, { dtype, bytes }], i) => {
  return { name, dtype, bytes, first: words[2 * i]!, last: words[2 * i + 1]! };
});
const { adapterName: adapter, capabilities } = device;
const { software } = capabilities;
const measured: Measured = {
  adapter,
  software,
  seconds,
  peakHeap,
  residentBefore,
  residentPeak,
  uploaded,
  bytesInUse,
  weights,
};
console.log(JSON.stringify(measured));
device.destroy();

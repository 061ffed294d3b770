import { castInto, type Device, full, ops } from "@lethe/tensor";
import { measure, median } from "../profile/measure.ts";
import type { Rates } from "./time.ts";

/** A product takes at least so long where its rate counts: less is the time to start it. */
const LONG_ENOUGH = 0.02;

/** Sizes that are tried, of square matrices. */
const SIZES = [512, 1024, 2048, 4096, 8192];

/** Elements that are copied: more than caches hold. */
const COPIED = 2 ** 24;

/** Measures a device: the rate of an f32 matrix product, and of a copy. It takes a second or two. */
export async function measureRates(device: Device): Promise<Rates> {
  let flops = 0;
  for (const size of SIZES) {
    using _ = device.scope("rate of products");
    const [x, weight] = [full(device, [size, size], 1), full(device, [size, size], 1)];
    const seconds = await secondsFor(device, () => ops.linear(x, weight));
    flops = Math.max(flops, (2 * size ** 3) / seconds);
    if (seconds >= LONG_ENOUGH) break;
  }
  using _ = device.scope("rate of copies");
  const [from, to] = [full(device, [COPIED], 1), full(device, [COPIED], 1)];
  const seconds = await secondsFor(device, () => castInto(to, from));
  device.trim();
  return { flops, bandwidth: (from.bytes + to.bytes) / seconds };
}

async function secondsFor(device: Device, work: () => unknown): Promise<number> {
  return median((await measure(device, [work], { mostRounds: 3 }))[0]!);
}

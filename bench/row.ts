import type { Device } from "@lethe/tensor";
import { measure, median } from "../packages/lab/src/profile/measure.ts";
import type { BenchCase } from "./case.ts";
import type { Yardsticks } from "./roofline.ts";
import { ratioOf, type Spread } from "./spread.ts";

/** The figures of a case, as they are printed and written as JSON. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly seconds: number;
  readonly gflops: number | null;
  readonly gigabytesPerSecond: number | null;
  /** Of tokens or windows, as `unit` says. */
  readonly itemsPerSecond: number | null;
  readonly unit: string | null;
  /** Speed relative to the plain way, in the same rounds. */
  readonly timesPlain: Spread | null;
  /** Share of a peak in the same rounds: the FMA kernel’s flops or the copy kernel’s bytes, whichever share is larger. */
  readonly shareOfPeak: Spread | null;
}

/**
 * Checks a case, then times it, the plain way and the yardsticks in turns.
 * @param afterwards called while the case is still prepared, with its work and the seconds that the work takes
 */
export async function timeCase(
  device: Device,
  bench: BenchCase,
  { copy, fma }: Yardsticks,
  afterwards?: (run: () => unknown, seconds: number) => Promise<void>,
): Promise<Row> {
  using _ = device.scope(bench.name);
  const { run, plain, check, dispose } = await bench.prepare(device);
  await check();
  const { flops, bytes } = bench;
  const works = { run, ...(plain && { plain }), ...(bytes && { copy: copy.run }), ...(flops && { fma: fma.run }) };
  const samples = await measure(device, Object.values(works));
  const times = Object.fromEntries(Object.keys(works).map((name, i) => [name, samples[i]!]));
  const own = times.run!;
  const seconds = median(own);
  await afterwards?.(run, seconds);
  dispose?.();
  const rate = (amount: number | undefined) => (amount === undefined ? null : amount / seconds);
  const shares = [
    ...(flops ? [ratioOf(times.fma!, own, flops / fma.amount)] : []),
    ...(bytes ? [ratioOf(times.copy!, own, bytes / copy.amount)] : []),
  ];
  const inBillions = (value: number | null) => value && value / 1e9;
  return {
    name: bench.name,
    shape: bench.shape,
    seconds,
    gflops: inBillions(rate(flops)),
    gigabytesPerSecond: inBillions(rate(bytes)),
    itemsPerSecond: rate(bench.items?.count),
    unit: bench.items?.unit ?? null,
    timesPlain: plain ? ratioOf(times.plain!, own) : null,
    shareOfPeak: shares.toSorted((a, b) => b.median - a.median)[0] ?? null,
  };
}

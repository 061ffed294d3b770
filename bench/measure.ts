import type { Device } from "@lethe/tensor";

/** Long enough for the clock, short enough that a noisy neighbour spoils one round and not the median. */
const roundSeconds = 0.06;
const rounds = 5;

async function timeRound(device: Device, work: () => unknown, repeats: number): Promise<number> {
  await device.idle();
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    using _ = device.scope("bench");
    await work();
  }
  await device.idle();
  return (performance.now() - start) / 1000 / repeats;
}

/**
 * Seconds that each piece of work takes, as medians of rounds in which all take turns, so that a change in the machine's load
 * falls on every one alike. Each round repeats the work until the clock is no matter.
 */
export async function measure(device: Device, works: readonly (() => unknown)[]): Promise<number[]> {
  const repeats: number[] = [];
  for (const work of works) {
    await timeRound(device, work, 1); // compiles pipelines and fills the pool
    const once = await timeRound(device, work, 1);
    repeats.push(Math.max(1, Math.min(1000, Math.round(roundSeconds / once))));
  }
  const samples = works.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) samples[i]!.push(await timeRound(device, work, repeats[i]!));
  }
  return samples.map((times) => times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!);
}

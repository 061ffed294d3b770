import type { Device } from "@lethe/tensor";

/** Long enough for the clock, and so short that other load on the machine disturbs a few rounds and not the median. */
const roundSeconds = 0.03;

const mostRepeats = 1000;

/** Odd, for a median. Work that takes seconds gets fewer rounds: other load disturbs it less. */
const roundsFor = (secondsARound: number) =>
  secondsARound < 0.5 ? 9 : secondsARound < 2 ? 5 : secondsARound < 5 ? 3 : 1;

/** How much care is taken. */
export interface MeasureOptions {
  /** Seconds that a piece of work is repeated for in each round. */
  readonly seconds?: number;
  readonly mostRounds?: number;
}

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
 * Seconds that each piece of work takes, round by round: `[work][round]`. In a round all take turns, so that a change in the machine’s
 * load affects each of them equally. Each repeats its work for long enough that the clock’s resolution and the wait at the end do not matter.
 */
export async function measure(
  device: Device,
  works: readonly (() => unknown)[],
  { seconds = roundSeconds, mostRounds = Infinity }: MeasureOptions = {},
): Promise<number[][]> {
  const repeats: number[] = [];
  let wholeRound = 0;
  for (const work of works) {
    await timeRound(device, work, 1); // compiles pipelines and fills the pool
    let [count, once] = [1, await timeRound(device, work, 1)];
    // One run alone takes longer than one of many: the wait at its end counts for it alone.
    while (count < mostRepeats && count * once < seconds / 2) {
      count = Math.min(mostRepeats, Math.max(2 * count, Math.round(seconds / once)));
      once = await timeRound(device, work, count);
    }
    repeats.push(count);
    wholeRound += Math.max(once, seconds);
  }
  const samples = works.map((): number[] => []);
  for (let round = Math.min(mostRounds, roundsFor(wholeRound)); round > 0; round--) {
    for (const [i, work] of works.entries()) samples[i]!.push(await timeRound(device, work, repeats[i]!));
  }
  return samples;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** How many times as long `a` takes as `b`: the median over rounds. In each round both meet the same load. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((seconds, round) => seconds / b[round]!));
}

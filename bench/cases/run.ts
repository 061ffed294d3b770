import { type Device, LetheError } from "@lethe/tensor";
import { profile } from "../../packages/lab/src/profile/kernel-costs.ts";
import { profileLines } from "../../packages/lab/src/profile/totals.ts";
import type { BenchCase, Left } from "../case.ts";
import { printHeadings, printRow } from "../print.ts";
import type { Results } from "../results.ts";
import { measureRoofline, openYardsticks, type Roofline } from "../roofline.ts";
import { type Row, timeCase } from "../row.ts";
import { judgeCase } from "../targets.ts";
import { allCases } from "./index.ts";

/** A guess at the share of a peak that a case reaches, which decides alone whether it is tried. */
const usualShare = 0.3;
/** A case of which one run is guessed to take longer is left out on a software adapter: it is run about twenty times. */
const mostSeconds = 0.5;

/**
 * Times every case.
 * @param filter only cases whose name or shape contains this
 * @param large also cases that take long on a software adapter
 * @param detailed prints the time of each kernel
 */
export async function benchCases(
  device: Device,
  { filter, large, detailed }: { readonly filter: string; readonly large: boolean; readonly detailed: boolean },
): Promise<Results> {
  const cases = allCases.filter(({ name, shape }) => `${name} ${shape}`.includes(filter));
  if (cases.length === 0) {
    const names = [...new Set(allCases.map(({ name }) => name))];
    throw new LetheError(`No case matches "${filter}". Names: ${names.join(", ")}`);
  }
  using yardsticks = await openYardsticks(device);
  const roofline = await measureRoofline(device, yardsticks);
  const { adapterName: adapter, capabilities } = device;
  console.log(adapter);
  console.log(
    `peaks: ${(roofline.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s (FMA kernel), ${(roofline.bytesPerSecond / 1e9).toFixed(2)} GB/s (copy kernel)\n`,
  );
  printHeadings();
  const rows: Row[] = [];
  const left: Left[] = [];
  for (const one of cases.filter(({ runsOn }) => runsOn?.(capabilities) ?? true)) {
    const guess = secondsGuessed(one, roofline);
    if (guess > mostSeconds && capabilities.software && !large) {
      left.push({ name: `${one.name} ${one.shape}`, why: `a run would take about ${guess.toFixed(1)} s here` });
      continue;
    }
    const row = await timeCase(device, one, yardsticks, async (run, seconds) => {
      if (!detailed) return;
      for (const line of profileLines(await profile(device, run), seconds)) console.log(line);
    });
    device.trim();
    printRow(row, judgeCase(row));
    rows.push(row);
  }
  if (left.length > 0) console.log("\nLeft out, --large runs them:");
  for (const { name, why } of left) console.log(`  ${name}: ${why}`);
  return { adapter, capabilities, roofline, rows, left, verdicts: rows.flatMap(judgeCase) };
}

/** Seconds of one run, from the adapter's peaks. A whole pass is always tried. */
function secondsGuessed({ name, flops = 0, bytes = 0 }: BenchCase, peaks: Roofline): number {
  if (name.startsWith("pass")) return 0;
  return Math.max(flops / peaks.flopsPerSecond, bytes / peaks.bytesPerSecond) / usualShare;
}

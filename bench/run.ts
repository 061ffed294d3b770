/** `npm run bench`: every kernel and whole passes, each checked and then timed beside the plain way and the adapter's own peaks. */
import { writeFile } from "node:fs/promises";
import { openDevice } from "@lethe/tensor";
import { Command } from "commander";
import type { BenchCase } from "./case.ts";
import { allCases } from "./cases/index.ts";
import { measure } from "./measure.ts";
import { measureRoofline, type Roofline } from "./roofline.ts";

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly seconds: number;
  readonly gflops: number | null;
  readonly gigabytesPerSecond: number | null;
  readonly tokensPerSecond: number | null;
  /** Speed relative to the plain way, in the same rounds. */
  readonly timesPlain: number | null;
  /** Share of the better-fitting peak: the copy kernel's bytes or the FMA kernel's flops. */
  readonly shareOfPeak: number | null;
}

const { filter, json } = new Command("bench")
  .description("Time every kernel and whole passes; outputs are checked first.")
  .option("--filter <text>", "only cases whose name contains this", "")
  .option("--json <file>", "write the figures here too")
  .parse()
  .opts<{ filter: string; json?: string }>();

const device = await openDevice();
const cases = allCases.filter(({ name, shape }) => `${name} ${shape}`.includes(filter));
if (cases.length === 0) {
  console.error(`No case matches "${filter}". Names: ${[...new Set(allCases.map(({ name }) => name))].join(", ")}`);
  process.exit(1);
}

async function timeCase(bench: BenchCase, roofline: Roofline): Promise<Row> {
  using _ = device.scope(bench.name);
  const { run, plain, check } = await bench.prepare(device);
  await check();
  const [seconds, plainSeconds] = await measure(device, plain ? [run, plain] : [run]);
  const perSecond = (amount: number | undefined) => (amount === undefined ? null : amount / seconds!);
  const [flops, bytes] = [perSecond(bench.flops), perSecond(bench.bytes)];
  const shares = [(flops ?? 0) / roofline.flopsPerSecond, (bytes ?? 0) / roofline.bytesPerSecond];
  return {
    name: bench.name,
    shape: bench.shape,
    seconds: seconds!,
    gflops: flops === null ? null : flops / 1e9,
    gigabytesPerSecond: bytes === null ? null : bytes / 1e9,
    tokensPerSecond: perSecond(bench.tokens),
    timesPlain: plainSeconds === undefined ? null : plainSeconds / seconds!,
    shareOfPeak: flops === null && bytes === null ? null : Math.max(...shares),
  };
}

const fixed = (value: number | null, digits: number, unit = "") => (value === null ? "" : value.toFixed(digits) + unit);

function print(row: Row): void {
  const cells = [
    row.name.padEnd(28),
    row.shape.padEnd(30),
    fixed(row.seconds * 1e3, 3, " ms").padStart(12),
    fixed(row.gflops, 2).padStart(9),
    fixed(row.gigabytesPerSecond, 2).padStart(8),
    fixed(row.tokensPerSecond, 0).padStart(8),
    fixed(row.timesPlain, 1, "×").padStart(8),
    fixed(row.shareOfPeak && row.shareOfPeak * 100, 0, " %").padStart(7),
  ];
  console.log(cells.join(" "));
}

const roofline = await measureRoofline(device);
console.log(device.adapterName);
console.log(
  `peaks in this run: ${(roofline.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s (FMA kernel), ${(roofline.bytesPerSecond / 1e9).toFixed(2)} GB/s (copy kernel)\n`,
);
const headings = ["time", "GFLOP/s", "GB/s", "tok/s", "× plain", "of peak"];
console.log(
  `${"case".padEnd(28)} ${"shape".padEnd(30)} ${headings.map((text, i) => text.padStart([12, 9, 8, 8, 8, 7][i]!)).join(" ")}`,
);
const rows: Row[] = [];
for (const bench of cases) {
  const row = await timeCase(bench, roofline);
  print(row);
  rows.push(row);
}
const report = { adapter: device.adapterName, capabilities: device.capabilities, roofline, rows };
if (json) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
device.destroy();

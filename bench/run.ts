/** `npm run bench`: every kernel and whole passes, each checked, then timed together with the plain way and the peaks of the adapter. */
import { openDevice } from "@lethe/tensor";
import { writeWhole } from "@lethe/tensor/node";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { profile } from "../packages/lab/src/profile/kernel-costs.ts";
import { profileLines } from "../packages/lab/src/profile/totals.ts";
import { allCases } from "./cases/index.ts";
import { benchModel } from "./model/run.ts";
import { headline, printHeadings, printRow } from "./print.ts";
import { measureRoofline, openYardsticks } from "./roofline.ts";
import { type Row, timeCase } from "./row.ts";

interface Flags {
  readonly filter: string;
  readonly model?: string;
  readonly json?: string;
  readonly profile?: boolean;
}

/** The main job at a model’s size, in place of the cases. */
async function benchOneModel(model: string, { filter, json, profile: detailed = false }: Flags): Promise<void> {
  const device = await openDevice();
  console.log(device.adapterName);
  const rows = await benchModel(device, model, { filter, detailed });
  if (json) await writeWhole(json, `${JSON.stringify({ adapter: device.adapterName, rows }, null, 2)}\n`);
  device.destroy();
}

async function bench(flags: Flags): Promise<void> {
  if (flags.model) return benchOneModel(flags.model, flags);
  const cases = allCases.filter(({ name, shape }) => `${name} ${shape}`.includes(flags.filter));
  if (cases.length === 0) {
    const names = [...new Set(allCases.map(({ name }) => name))];
    console.error(`No case matches "${flags.filter}". Names: ${names.join(", ")}`);
    process.exit(1);
  }

  const device = await openDevice();
  const yardsticks = await openYardsticks(device);
  const roofline = await measureRoofline(device, yardsticks);
  console.log(device.adapterName);
  console.log(
    `peaks: ${(roofline.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s (FMA kernel), ${(roofline.bytesPerSecond / 1e9).toFixed(2)} GB/s (copy kernel)\n`,
  );
  printHeadings();
  const rows: Row[] = [];
  for (const one of cases.filter(({ runsOn }) => runsOn?.(device.capabilities) ?? true)) {
    const row = await timeCase(device, one, yardsticks, async (run, seconds) => {
      if (!flags.profile) return;
      for (const line of profileLines(await profile(device, run), seconds)) console.log(line);
    });
    printRow(row);
    rows.push(row);
  }
  const summary = headline(rows);
  if (summary) console.log(`\n${summary}`);
  const { adapterName: adapter, capabilities } = device;
  if (flags.json)
    await writeWhole(flags.json, `${JSON.stringify({ adapter, capabilities, roofline, rows }, null, 2)}\n`);
  device.destroy();
}

await runCommand(
  commandLine("bench", "Times every kernel and whole passes; outputs are checked first.")
    .option("--filter <text>", "only cases whose name or shape contains this", "")
    .option("--model <model>", "time the parts of the main job with this model instead")
    .option("--json <file>", "also write the figures to this file")
    .option("--profile", "print how the time of each case divides among kernels")
    .action(bench),
);

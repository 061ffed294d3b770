/** `npm run parity`: compares Lethe with the installed `transformers` on new random small models. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDevice } from "@lethe/tensor";
import { commandLine, runCommand, wholeFrom } from "../packages/lab/src/commands/command-line.ts";
import { comparisons, type Result, resultOf, subjectAt } from "./compare.ts";
import { drawDescription, labelOf } from "./draw.ts";
import { printHeadings, printRow, printSummary } from "./print.ts";
import { ParityError, references } from "./python.ts";

interface Flags {
  readonly seed: number;
  readonly count: number;
  readonly python: string;
  readonly keep?: string;
}

async function compareAll({ seed, count, python, keep }: Flags): Promise<void> {
  const descriptions = Array.from({ length: count }, (_, index) => drawDescription(seed, index));
  const directory = keep ?? (await mkdtemp(join(tmpdir(), "lethe-parity-")));
  await mkdir(directory, { recursive: true });
  const device = await openDevice();
  console.log(`${device.adapterName}\nseed ${seed}`);
  const rows: Result[][] = [];
  let failed = 0;
  try {
    for await (const description of references(python, directory, descriptions)) {
      const label = labelOf(description);
      try {
        const subject = await subjectAt(device, join(directory, description.name));
        if (rows.length + failed === 0) {
          console.log(`transformers ${subject.expected.transformers}, torch ${subject.expected.torch}\n`);
          printHeadings();
        }
        const results: Result[] = [];
        for (const comparison of comparisons) results.push(await resultOf(comparison, subject));
        printRow(label, results);
        rows.push(results);
        if (!results.every(({ ok }) => ok)) failed++;
      } catch (error) {
        failed++;
        console.log(`${label}\n    ${error}`);
      }
    }
    if (rows.length > 0) printSummary(rows);
    console.log(
      failed === 0
        ? `\nAll ${count} models are within tolerance.`
        : `\n${failed} of ${count} models differ. To run these again: npm run parity -- --seed ${seed} --count ${count}`,
    );
  } catch (error) {
    if (!(error instanceof ParityError)) throw error;
    console.error(error.message);
    failed++;
  } finally {
    device.destroy();
    if (!keep) await rm(directory, { recursive: true, force: true });
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

await runCommand(
  commandLine("parity", "Compares Lethe with the installed transformers on random small models.")
    .option("--seed <number>", "draw the models of an earlier run again", wholeFrom(0), Date.now() % 1_000_000)
    .option("--count <number>", "how many models", wholeFrom(1), 20)
    .option("--python <command>", "a Python that has transformers", "python3")
    .option("--keep <directory>", "keep the models and their expected values in this directory")
    .action(compareAll),
);

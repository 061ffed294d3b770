/** `npm run fuzz`: reads damaged model directories and data files; see {@link fuzz}. */
import { commandLine, runCommand, wholeFrom } from "../../packages/lab/src/commands/command-line.ts";
import { fuzz } from "./fuzz.ts";

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly from: number;
}

async function main({ count, seed, from }: Options): Promise<void> {
  console.log(`${count} mutants from ${from}, seed ${seed}`);
  const { loaded, typedErrors, faults } = await fuzz({ seed, from, to: from + count });
  const counted = (what: string) => faults.filter((fault) => fault.what === what).length;
  console.log(`loaded           ${loaded}`);
  console.log(`typed errors     ${typedErrors}`);
  console.log(`other errors     ${counted("other error")}`);
  console.log(`processes ended  ${counted("process ended")}`);
  console.log(`over a second    ${counted("slow")}`);
  console.log(`over its bound   ${counted("large")}`);
  for (const { index, file, what, detail } of faults.slice(0, 20))
    console.log(`\n${index} ${file}: ${what}\n${detail}`);
  if (faults.length > 0) process.exitCode = 1;
}

const description =
  "Damages config.json, the index, tokenizer files, chat templates and data files at random, reads each directory, and counts what is not " +
  "loaded and not a typed error, what takes longer than a second, and what is larger than its bound.";

await runCommand(
  commandLine("fuzz", description)
    .option("--count <n>", "how many mutants", wholeFrom(0), 1000)
    .option("--seed <n>", "draw the mutants of an earlier run again (default: another one each time)", wholeFrom(0))
    .option("--from <n>", "begin at this mutant: with --count 1 a single one is read again", wholeFrom(0), 0)
    .action(({ seed = Date.now() % 1_000_000, ...options }) => main({ seed, ...options })),
);

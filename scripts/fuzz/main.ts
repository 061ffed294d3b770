/** `npm run fuzz`: reads damaged model directories and data files; see {@link fuzz}. */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

const help = `Usage: npm run fuzz -- [--count N] [--seed N] [--from N]

Damages config.json, the index, tokenizer files, chat templates and data files at random, reads each directory, and counts what is not
loaded and not a typed error, what takes longer than a second, and what is larger than its bound.

  --count N  how many mutants (default: 1000)
  --seed N   draw the mutants of an earlier run again
  --from N   begin at this mutant: with --count 1 a single one is read again`;

const options = {
  count: { type: "string" },
  seed: { type: "string" },
  from: { type: "string" },
  help: { type: "boolean" },
} as const;
const flags = parseArgs({ options }).values;
const whole = (text: string | undefined, otherwise: number) => {
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`expected a whole number from 0 and not "${text}"\n\n${help}`);
};

if (flags.help) console.log(help);
else {
  const [count, seed, from] = [
    whole(flags.count, 1000),
    whole(flags.seed, Date.now() % 1_000_000),
    whole(flags.from, 0),
  ];
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

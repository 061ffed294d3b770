/**
 * Times cases of the checkout whose folder it is given, one round whenever it is asked to. It takes a JSON object a line from its standard input
 * and answers with one a line. It is this checkout's program in both trees, so it knows of the other only what has long been there: the
 * list of cases, `openDevice`, and what a case is.
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Device } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";

const [folder] = process.argv.slice(2);
const from = (file: string) => import(pathToFileURL(`${folder}/${file}`).href);
const { allCases } = (await from("bench/cases/index.ts")) as { allCases: readonly BenchCase[] };
const { openDevice } = await from("packages/tensor/src/index.ts");
const device: Device = await openDevice();

/** Runs of a round: for so many seconds, and so many at most. */
const [roundSeconds, mostRepeats] = [0.2, 200];

const titleOf = ({ name, shape }: BenchCase) => `${name} ${shape}`;
const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

let round: ((repeats: number) => Promise<number>) | undefined;
let repeats = 1;
let close: () => void = () => {};

async function prepare(title: string): Promise<void> {
  const scope = device.scope(title);
  const { run, check, dispose } = await allCases.find((bench) => titleOf(bench) === title)!.prepare(device);
  await check();
  close = () => {
    dispose?.();
    scope[Symbol.dispose]();
    device.trim();
  };
  round = async (count) => {
    await device.idle();
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      using _ = device.scope("round");
      await run();
    }
    await device.idle();
    return (performance.now() - start) / 1000 / count;
  };
  await round(1); // compiles pipelines and fills the pool
  repeats = Math.max(1, Math.min(mostRepeats, Math.round(roundSeconds / (await round(2)))));
}

const cases = allCases.filter(({ runsOn }) => runsOn?.(device.capabilities) ?? true);
answer({ adapter: device.adapterName, cases: cases.map(titleOf) });
for await (const line of createInterface({ input: process.stdin })) {
  const { title, done } = JSON.parse(line);
  if (title) await prepare(title);
  else if (done) close();
  answer(title || done ? {} : { seconds: await round!(repeats) });
}
device.destroy();

import { LetheError } from "@lethe/tensor";
import { median } from "../../packages/lab/src/profile/measure.ts";
import { ratioOf, type Spread, showRatio, showSpread } from "../spread.ts";
import { describeVerdict, judgeAgainst, type Verdict } from "../targets.ts";
import { startChild } from "./child-process.ts";
import { here, type Tree } from "./tree.ts";

/** A case, timed here and at another commit. */
export interface AgainstRow {
  readonly name: string;
  readonly seconds: number;
  readonly secondsBefore: number;
  /** How many times as fast as before, by rounds. */
  readonly times: Spread;
  readonly verdicts: readonly Verdict[];
}

const roundsFor = (seconds: number) => (seconds < 1 ? 15 : seconds < 4 ? 9 : 5);

/**
 * Times cases here and at another commit on the same machine: a process for each, which take turns, so that both meet the same load.
 * @param filter only cases whose name and shape contain this, and which both commits have
 */
export async function benchAgainst(tree: Tree, filter: string): Promise<AgainstRow[]> {
  const before = await startChild(tree.folder);
  const now = await startChild(here);
  if (before.hello.adapter !== now.hello.adapter)
    throw new LetheError(`the two run on different adapters: ${before.hello.adapter} and ${now.hello.adapter}`);
  const shared = (now.hello.cases as string[]).filter((name) => before.hello.cases.includes(name));
  const wanted = shared.filter((name) => name.includes(filter));
  if (wanted.length === 0) throw new LetheError(`no case of both commits contains "${filter}"`);
  console.log(now.hello.adapter);
  console.log(`here beside ${tree.commit.slice(0, 7)}, in turns\n`);
  const rows: AgainstRow[] = [];
  for (const title of wanted) {
    for (const child of [before, now]) await child.ask({ title });
    const samples: [number[], number[]] = [[], []];
    const start = performance.now();
    let left = 1;
    for (let round = 0; left > 0; round++, left--) {
      samples[0].push((await before.ask({})).seconds);
      samples[1].push((await now.ask({})).seconds);
      if (round === 0) left = roundsFor((performance.now() - start) / 1000);
    }
    for (const child of [before, now]) await child.ask({ done: true });
    const [secondsBefore, seconds] = samples.map(median) as [number, number];
    const times = ratioOf(...samples);
    const row = { name: title, seconds, secondsBefore, times, verdicts: judgeAgainst(title, times) };
    printAgainstRow(row);
    rows.push(row);
  }
  before.close();
  now.close();
  return rows;
}

function printAgainstRow({ name, seconds, secondsBefore, times, verdicts }: AgainstRow): void {
  const [was, is] = [secondsBefore, seconds].map((value) => `${(value * 1e3).toFixed(2)} ms`.padStart(12));
  const ratio = `${showSpread(times, showRatio)} times as fast`.padStart(28);
  console.log([name.padEnd(48), was, "→", is, ratio, ...verdicts.map((v) => ` ${describeVerdict(v)}`)].join(" "));
}

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { ratioOf, type Spread, showPercent, showSpread } from "../spread.ts";
import { nodeArguments } from "./child-process.ts";
import { here, type Tree } from "./tree.ts";

/** The experiment's time as a whole process, here and at another commit. */
export interface ExperimentTimes {
  readonly preset: string;
  readonly seconds: readonly number[];
  readonly secondsBefore: readonly number[];
  /** Its time here, as a share of its time before. */
  readonly share: Spread;
}

/** Seconds of `npm run experiment` in a checkout, from nothing computed to the report. */
async function experiment(folder: string, preset: string): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), "lethe-experiment-"));
  const program = join(folder, "packages/lab/src/commands/experiment/main.ts");
  const start = performance.now();
  const child = spawn(process.execPath, [...nodeArguments, program, "--preset", preset, "--out", out], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  rmSync(out, { recursive: true, force: true });
  if (code !== 0)
    throw new LetheError(`the experiment of ${folder} ended with code ${code}:\n${said.join("").slice(-2000)}`);
  return (performance.now() - start) / 1000;
}

/** Runs an experiment at another commit and here, in turns. */
export async function experimentAgainst(tree: Tree, preset: string, rounds: number): Promise<ExperimentTimes> {
  const [secondsBefore, seconds]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    secondsBefore.push(await experiment(tree.folder, preset));
    seconds.push(await experiment(here, preset));
    console.log(`experiment ${preset}: ${secondsBefore.at(-1)!.toFixed(0)} s → ${seconds.at(-1)!.toFixed(0)} s`);
  }
  const share = ratioOf(seconds, secondsBefore);
  console.log(`${showSpread(share, showPercent)} % of the time before`);
  return { preset, seconds, secondsBefore, share };
}

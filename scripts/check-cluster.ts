import { spawnSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { NoSlurmError, SLURM_PROGRAMS, Slurm } from "./cluster/slurm.ts";
import { Workplace } from "./cluster/workplace.ts";

const FREEZE = "source freeze.sh\n";

/** Runs a study as one process: what all schedulers are compared with. */
async function alone(): Promise<Map<string, string>> {
  using place = new Workplace();
  await place.run(`${FREEZE}npm run --silent experiment -- --plan study.json`);
  return place.tables("study");
}

/** As an array of tasks on two nodes. One task is killed, and Slurm starts it again. */
async function bySlurm(): Promise<Map<string, string>> {
  using place = new Workplace();
  await using slurm = await Slurm.start(`${place.folder}/slurm`);
  await place.run(`${FREEZE}source submit.sh`, { env: slurm.env });
  await slurm.killTask(0, 2);
  await slurm.done();
  // The array is the first job of this Slurm.
  const restarts = /Restarts=(\d+)/.exec(slurm.ask("scontrol", "show", "job", "1_0"))?.[1];
  if (restarts !== "1") throw new Error(`The task that was killed was started again ${restarts} times, expected once.`);
  return place.tables("study");
}

async function byParallel(): Promise<Map<string, string>> {
  using place = new Workplace();
  await place.run(`${FREEZE}source parallel.sh`);
  return place.tables("study");
}

async function bySnakemake(): Promise<Map<string, string>> {
  using place = new Workplace();
  await place.run(`${FREEZE}snakemake --cores 2 --quiet`);
  return place.tables("study");
}

const schedulers = [
  { name: "Slurm", needs: SLURM_PROGRAMS, run: bySlurm },
  { name: "GNU parallel", needs: ["parallel"], run: byParallel },
  { name: "Snakemake", needs: ["snakemake"], run: bySnakemake },
];

async function check(): Promise<void> {
  let expected: Map<string, string> | undefined;
  for (const { name, needs, run } of schedulers) {
    const absent = needs.filter((program) => spawnSync("which", [program]).status !== 0);
    if (absent.length > 0) {
      console.log(`${name}: skipped, because ${absent.join(", ")} is not installed.`);
      continue;
    }
    expected ??= await alone();
    const tables = await run().catch((error) => {
      if (!(error instanceof NoSlurmError)) throw error;
      console.log(`${name}: skipped, because it does not start here. ${error.message}`);
    });
    if (!tables) continue;
    if (!isDeepStrictEqual(tables, expected)) {
      const other = [...expected.keys()].filter((table) => tables.get(table) !== expected!.get(table));
      throw new Error(`${name}: these tables are not those of one process: ${other.join(", ")}`);
    }
    console.log(`${name}: ${tables.size} tables, the same bytes as those of one process.`);
  }
}

const program = commandLine(
  "check-cluster",
  "Runs the files of docs/cluster.md with the schedulers that are installed here, and compares the results with those of one process.",
).action(check);
await runCommand(program);

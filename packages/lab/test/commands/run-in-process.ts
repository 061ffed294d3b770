import { loadConcepts } from "@lethe/unlearn/data/node";
import type { CellRunner } from "../../src/cells/run-cells.ts";
import { runCli } from "../../src/commands/experiment/cli.ts";
import type { CliParts } from "../../src/commands/experiment/cli-parts.ts";
import { studies } from "../../src/studies/list.ts";
import { FakeRunner } from "../fake-runner.ts";
import { printed } from "./printed.ts";

/** What a run printed and how it ended. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function run(
  args: readonly string[],
  runner: CellRunner = new FakeRunner(),
  known = studies,
  keep?: CliParts["keep"],
  openRunner: CliParts["openRunner"] = async () => runner,
): Promise<Run> {
  const { texts, streams } = printed();
  const code = await runCli(args, {
    studies: known,
    openRunner,
    loadConcepts,
    ...(keep && { keep }),
    ...streams,
  });
  return { code, ...texts };
}

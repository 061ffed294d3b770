import { join } from "node:path";
import type { AdapterDescription } from "./types.ts";
import { writeWhole } from "./write-whole.ts";

/** `<out>/run.json`: the latest run into a folder, for people. Unlike a cell it depends on the machine and the clock. */
interface RunRecord {
  readonly adapter: AdapterDescription;
  readonly node: string;
  readonly platform: string;
  readonly arguments: readonly string[];
  readonly startedAt: string;
  /** Null while the run goes on, and for ever when it was stopped. */
  readonly finishedAt: string | null;
  readonly cellsRun: number;
  readonly cellsReused: number;
}

export async function writeRunRecord(out: string, record: RunRecord): Promise<void> {
  await writeWhole(join(out, "run.json"), `${JSON.stringify(record, null, 2)}\n`);
}

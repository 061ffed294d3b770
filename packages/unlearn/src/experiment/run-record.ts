import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "./write-whole.ts";

/** `<out>/run.json`: the latest run into a folder. Unlike a cell it depends on the machine and the clock. */
const runRecordSchema = z.object({
  adapter: z.object({ name: z.string(), software: z.boolean() }),
  node: z.string(),
  platform: z.string(),
  arguments: z.array(z.string()),
  startedAt: z.string(),
  /** Null while the run goes on, and for ever when it was stopped. */
  finishedAt: z.string().nullable(),
  cellsRun: z.number().int(),
  cellsReused: z.number().int(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

export async function writeRunRecord(out: string, record: RunRecord): Promise<void> {
  await writeWhole(join(out, "run.json"), `${JSON.stringify(record, null, 2)}\n`);
}

/** The latest run's record, or null where there is none that can be read: a report does not depend on it. */
export async function readRunRecord(out: string): Promise<RunRecord | null> {
  try {
    return runRecordSchema.parse(JSON.parse(await readFile(join(out, "run.json"), "utf8")));
  } catch {
    return null;
  }
}

import { join } from "node:path";
import { writeWhole } from "@lethe/tensor/node";
import { PRETRAINING_FILE, type Pretraining } from "./pretraining-record.ts";

/** Writes into a model's directory how it was trained. */
export function writePretraining(directory: string, pretraining: Pretraining): Promise<void> {
  return writeWhole(join(directory, PRETRAINING_FILE), `${JSON.stringify(pretraining, null, 2)}\n`);
}

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { batchOf } from "@lethe/decoder";
import { type Llama, type LoadOptions, loadLlama } from "@lethe/llama";
import type { Device } from "@lethe/tensor";

/** Two of the models that `parity/golden.py` makes; it says how they differ. */
export type Case = "gqa-tied-f32" | "mha-untied-bf16";

export interface Golden {
  readonly prompts: readonly (readonly number[])[];
  /** New tokens of each prompt, with the EOS that ended them. */
  readonly greedy: readonly (readonly number[])[];
}

export function goldenDirectory(name: Case): string {
  return fileURLToPath(new URL(`../../../parity/golden/llama-${name}`, import.meta.url));
}

export async function golden(name: Case): Promise<Golden> {
  const { prompts, greedy } = JSON.parse(await readFile(`${goldenDirectory(name)}/expected.json`, "utf8"));
  return { prompts, greedy: greedy.cache };
}

/** A golden model whose lazily made tables are already there, so that tests can count bytes. */
export async function goldenModel(device: Device, name: Case, options: LoadOptions = {}): Promise<Llama> {
  const model = await loadLlama(device, goldenDirectory(name), options);
  using _scope = device.scope("warm up");
  model.forward(batchOf(device, [[1]]));
  return model;
}

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { batchOf } from "@lethe/decoder";
import { type Device, openSafetensors, toFloat32 } from "@lethe/tensor";
import { fileSource } from "@lethe/tensor/safetensors/node";
import { type Llama, type LoadOptions, loadLlama } from "../../src/index.ts";

/** Names of the golden models; `golden/make.py` says how they differ. */
export const cases = ["gqa-tied-f32", "mha-untied-bf16"] as const;
export type Case = (typeof cases)[number];

export interface Golden {
  readonly prompts: readonly (readonly number[])[];
  /** New tokens of each prompt, with the EOS that ended them. */
  readonly greedy: readonly (readonly number[])[];
  /** Logits and activations of the first prompt, by name. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

export function goldenDirectory(name: Case): string {
  return fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
}

export async function golden(name: Case): Promise<Golden> {
  const directory = goldenDirectory(name);
  const { prompts, greedy } = JSON.parse(await readFile(`${directory}/expected.json`, "utf8"));
  const file = await openSafetensors(await fileSource(`${directory}/expected.safetensors`));
  const tensors = new Map<string, Float32Array>();
  for (const tensor of file.names()) tensors.set(tensor, toFloat32(await file.read(tensor), "F32"));
  await file.close();
  return { prompts, greedy, tensors };
}

/** A golden model whose lazily made tables are already there, so that tests can count bytes. */
export async function goldenModel(device: Device, name: Case, options: LoadOptions = {}): Promise<Llama> {
  const model = await loadLlama(device, goldenDirectory(name), options);
  using _scope = device.scope("warm up");
  model.forward(batchOf(device, [[1]]));
  return model;
}

import type { FloatDType } from "@lethe/tensor";
import { writeModel } from "#disk";
import type { Decoder } from "./decoder.ts";
import { folderOf, type ModelPlace, readBytes, tokenizerFiles } from "./directory.ts";
import { weightToWrite } from "./saving/weight-data.ts";

export interface SaveOptions {
  /** What all weights are stored in, rounded to nearest even. Default: each as it is on the device. */
  readonly dtype?: FloatDType;
  /** Where the tokenizer's files are copied from. Default: where the model was loaded from. */
  readonly tokenizer?: ModelPlace;
}

const torchNames = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/** Writes a model as Hugging Face's directory. */
export async function saveModel(model: Decoder, directory: string, { dtype, tokenizer }: SaveOptions): Promise<void> {
  const { config, weights, origin, stopTokens } = model;
  const stored = dtype ?? [...weights.values()][0]?.dtype ?? "f32";
  const files = new Map<string, string | Uint8Array>();
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  const eos = stopTokens.length > 0 ? { eos_token_id: stopTokens.length === 1 ? stopTokens[0] : stopTokens } : {};
  files.set("config.json", json({ ...config, ...eos, dtype: torchNames[stored], torch_dtype: torchNames[stored] }));
  const source = tokenizer === undefined ? origin : await folderOf(tokenizer);
  for (const name of source ? tokenizerFiles : []) {
    const bytes = await readBytes(source!, name);
    if (bytes) files.set(name, bytes);
  }
  const generation = origin && (await readBytes(origin, "generation_config.json"));
  if (generation) files.set("generation_config.json", generation);
  const tensors = [...weights].map(([name, weight]) => weightToWrite(name, weight, dtype));
  await writeModel(directory, tensors, files);
}

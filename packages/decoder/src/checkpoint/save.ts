import { type FloatDType, safetensorsPieces, type Weight } from "@lethe/tensor";
import { writeModel } from "#disk";
import { ModelUseError } from "../errors.ts";
import type { Model } from "../pass/model.ts";
import { folderOf, type ModelPlace } from "./directory.ts";
import { readBytes, tokenizerFiles } from "./files.ts";
import { configText } from "./saving/config.ts";
import { shardIndex, splitIntoShards } from "./saving/shards.ts";
import { WEIGHT_METADATA, weightToWrite } from "./saving/weight-data.ts";

/** How a model is saved. */
export interface SaveOptions {
  /** The dtype of all weights in the file, rounded to nearest even. Default: each weight as it is on the device, bit for bit. */
  readonly dtype?: FloatDType;
  /** Above this many bytes the weights are split into files of at most this many. Default: 5 GB. */
  readonly maxShardBytes?: number;
  /** Weights to save in place of the model's own, by name, for example those of a merged LoRA. */
  readonly weights?: ReadonlyMap<string, Weight>;
  /** Where the tokenizer's files are copied from. Default: the directory that the model was loaded from. */
  readonly tokenizer?: ModelPlace;
}

/** Files of an earlier model that a loader would take for a part of this one. */
const ofCheckpoint =
  /^((generation_|adapter_)?config\.json|(pytorch_|adapter_)?model(-\d+-of-\d+)?\.(safetensors|bin)(\.index\.json)?)$/;

/** A file of a model's directory. */
export interface ModelFile {
  readonly name: string;
  /** Its bytes from the beginning. Weights are read from the device while they are asked for. */
  pieces(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Writes a model as a directory in Hugging Face's format; see `Decoder.save`. */
export async function saveModel(model: Model, directory: string, options: SaveOptions): Promise<void> {
  const { shards, files } = await contentOf(model, options);
  // If the model has no tokenizer files, those in the directory stay: they may have been put there for this model.
  const replaced: readonly string[] = tokenizerFiles.some((name) => files.has(name)) ? tokenizerFiles : [];
  await writeModel(directory, shards, files, (file) => ofCheckpoint.test(file) || replaced.includes(file));
}

/** The files of a model's directory, for a place that is no directory; see `Decoder.files`. */
export async function modelFiles(model: Model, options: SaveOptions): Promise<ModelFile[]> {
  const { shards, files } = await contentOf(model, options);
  const utf8 = new TextEncoder();
  return [
    ...shards.map(({ file, tensors }) => ({
      name: file,
      pieces: () => safetensorsPieces(tensors, WEIGHT_METADATA, file),
    })),
    ...Array.from(files, ([name, content]) => ({
      name,
      pieces: () => [typeof content === "string" ? utf8.encode(content) : content],
    })),
  ];
}

/** What a model's directory holds: its weights, and the files beside them. */
async function contentOf(model: Model, options: SaveOptions) {
  const { dtype, maxShardBytes = 5e9, tokenizer, weights: replacing = new Map<string, Weight>() } = options;
  if (!(maxShardBytes > 0))
    throw new ModelUseError(`save of ${model.label}: maxShardBytes is ${maxShardBytes}, expected a number above 0`);
  for (const [name, { shape }] of replacing) {
    const own = model.weights.get(name)?.shape;
    if (`${own}` !== `${shape}`)
      throw new ModelUseError(
        `save of ${model.label}: ${name} is [${shape}], and the model's own is ${own ? `[${own}]` : "none"}`,
      );
  }
  const weights = new Map([...model.weights, ...replacing]);
  const files = new Map<string, string | Uint8Array>();
  const source = tokenizer === undefined ? model.origin : await folderOf(tokenizer);
  for (const name of source ? tokenizerFiles : []) {
    const bytes = await readBytes(source!, name);
    if (bytes) files.set(name, bytes);
  }
  const generation = model.origin && (await readBytes(model.origin, "generation_config.json"));
  if (generation) files.set("generation_config.json", generation);
  const stored = new Set([...weights.values()].map((weight) => dtype ?? weight.dtype));
  files.set("config.json", configText(model, stored));
  const shards = splitIntoShards(
    Array.from(weights, ([name, weight]) => weightToWrite(name, weight, dtype)),
    maxShardBytes,
  );
  if (shards.length > 1) files.set("model.safetensors.index.json", shardIndex(shards));
  return { shards, files };
}

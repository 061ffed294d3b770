import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchOf, ModelError, ModelUseError } from "@lethe/decoder";
import { encodeSafetensors, type Weight } from "@lethe/tensor";
import { openCheckpoint } from "@lethe/tensor/node";
import { testDevice } from "@lethe/testing/device";
import { goldenDirectory, goldenModel } from "@lethe/testing/golden";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { afterEach, beforeEach, expect, test } from "vitest";
import { initLlama, type Llama, llama, llamaConfig, loadLlama } from "../src/index.ts";
import { sizes } from "./support/sizes.ts";

const device = await testDevice();

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "lethe-save-"));
  directory = join(parent, "model");
});
afterEach(() => rm(parent, { recursive: true }));

const readJson = async (file: string) => JSON.parse(await readFile(join(directory, file), "utf8"));

async function expectSameWeights(model: Llama, other: Llama): Promise<void> {
  expect([...other.weights.keys()].toSorted()).toEqual([...model.weights.keys()].toSorted());
  for (const [name, weight] of model.weights) {
    expect(other.weights.get(name)!.dtype).toBe(weight.dtype);
    expect(await other.weights.get(name)!.read(), name).toEqual(await weight.read());
  }
}

test.each(["gqa-tied-f32", "mha-untied-bf16"] as const)("%s, saved and loaded, is the same model", async (name) => {
  using model = await goldenModel(device, name);
  await model.save(directory);
  expect(await readdir(directory)).toEqual(["config.json", "generation_config.json", "model.safetensors"]);
  const config = await readJson("config.json");
  expect(config.dtype).toBe(name.endsWith("bf16") ? "bfloat16" : "float32");
  using loaded = await loadLlama(device, directory);
  expect(loaded.config).toEqual({ ...model.config, torch_dtype: config.dtype, rope_theta: config.rope_theta });
  expect(loaded.stopTokens).toEqual([2]);
  await expectSameWeights(model, loaded);
  using batch = batchOf(device, [[1, 2, 3]]);
  expect(await loaded.forward(batch).read()).toEqual(await model.forward(batch).read());
});

test("tied embeddings are written once", async () => {
  using model = await goldenModel(device, "gqa-tied-f32");
  await model.save(directory);
  const checkpoint = await openCheckpoint(directory);
  expect(checkpoint.names()).toHaveLength(model.weights.size);
  expect(checkpoint.has("lm_head.weight")).toBe(false);
  await checkpoint.close();
});

test("saved in another dtype, weights are rounded and the config names that dtype", async () => {
  using model = await loadLlama(device, goldenDirectory("gqa-tied-f32"));
  await model.save(directory, { dtype: "bf16" });
  using loaded = await loadLlama(device, directory);
  expect([...loaded.weights.values()].every(({ dtype }) => dtype === "bf16")).toBe(true);
  expect(loaded.config).toMatchObject({ torch_dtype: "bfloat16" });
});

test("a model saved in shards is the same model", async () => {
  using model = await goldenModel(device, "mha-untied-bf16");
  const maxShardBytes = 8000;
  await model.save(directory, { maxShardBytes });
  const { metadata, weight_map } = await readJson("model.safetensors.index.json");
  expect(metadata.total_size).toBe([...model.weights.values()].reduce((sum, { bytes }) => sum + bytes, 0));
  const shards = (await readdir(directory)).filter((file) => file.endsWith(".safetensors"));
  expect([...new Set(Object.values(weight_map))].toSorted()).toEqual(shards);
  expect(shards.length).toBeGreaterThan(2);
  expect(shards.at(-1)).toBe(`model-0000${shards.length}-of-0000${shards.length}.safetensors`);
  for (const shard of shards) {
    const own = [...model.weights].filter(([name]) => weight_map[name] === shard);
    expect(own.reduce((sum, [, { bytes }]) => sum + bytes, 0)).toBeLessThanOrEqual(maxShardBytes);
  }
  using loaded = await loadLlama(device, directory);
  await expectSameWeights(model, loaded);
});

test("a save into the model's own directory replaces the checkpoint and no other file", async () => {
  using original = await goldenModel(device, "mha-untied-bf16");
  await original.save(directory, { maxShardBytes: 8000 });
  for (const file of ["README.md", "pytorch_model.bin"]) await writeFile(join(directory, file), "");
  using model = await loadLlama(device, directory);
  await model.save(directory);
  expect(await readdir(directory)).toEqual(["README.md", "config.json", "generation_config.json", "model.safetensors"]);
  expect(await readdir(parent)).toEqual(["model"]);
  using loaded = await loadLlama(device, directory);
  await expectSameWeights(original, loaded);
});

test("the tokenizer's files are saved too, and replace those of another tokenizer", async () => {
  using model = initLlama(device, sizes, 1);
  const tokenizer = memoryFolder({ "tokenizer.json": { a: 1 }, "tokenizer_config.json": { b: 2 }, "notes.txt": "no" });
  await model.save(directory, { tokenizer });
  expect(await readJson("tokenizer.json")).toEqual({ a: 1 });
  expect(await readdir(directory)).not.toContain("notes.txt");
  await model.save(directory, { tokenizer: memoryFolder({ "vocab.json": {} }) });
  expect(await readdir(directory)).toEqual(["config.json", "model.safetensors", "vocab.json"]);
  await model.save(directory);
  expect(await readdir(directory)).toContain("vocab.json");
});

test("weights of several dtypes keep them, and the config names the widest", async () => {
  const tensors = Array.from(llama.shapes(llamaConfig(sizes)), ([name, shape], i) => {
    const dtype = (["BF16", "F32", "F16"] as const)[i % 3]!;
    const bytes = shape.reduce((product, n) => product * n, dtype === "F32" ? 4 : 2);
    return { name, dtype, shape, data: new Uint8Array(bytes).fill(i) };
  });
  const place = memoryFolder({ "config.json": sizes, "model.safetensors": encodeSafetensors(tensors) });
  using model = await loadLlama(device, place);
  await model.save(directory);
  expect(await readJson("config.json")).toMatchObject({ dtype: "float32", torch_dtype: "float32" });
  using loaded = await loadLlama(device, directory);
  await expectSameWeights(model, loaded);
});

test("rotary parameters are written in the spellings of transformers 4 and 5", async () => {
  const scaling = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const trained = { original_max_position_embeddings: 64 };
  using model = initLlama(device, { ...sizes, rope_parameters: { ...scaling, ...trained, rope_theta: 500 } }, 1);
  await model.save(directory);
  expect(await readJson("config.json")).toMatchObject({
    rope_parameters: { ...scaling, ...trained, rope_theta: 500 },
    rope_theta: 500,
    rope_scaling: { ...scaling, ...trained },
  });
});

test("whole numbers that are floats in Python keep their decimal point", async () => {
  const fields = { initializer_range: 1, rope_theta: 500, rope_scaling: { type: "linear", factor: 4 } };
  using model = initLlama(device, { ...sizes, ...fields }, 1);
  await model.save(directory);
  const text = await readFile(join(directory, "config.json"), "utf8");
  expect(text).toContain('"initializer_range": 1.0,\n');
  expect(text).toContain('"factor": 4.0\n');
  expect(text).toContain('"rope_theta": 500.0,\n');
  expect(text).toContain('"hidden_size": 8,\n');
});

test("a failed save leaves the old model", async () => {
  using before = initLlama(device, sizes, 1);
  await before.save(directory);
  using model = initLlama(device, sizes, 2);
  (model.weights.get("model.norm.weight") as Weight).dispose();
  await expect(model.save(directory, { maxShardBytes: 400 })).rejects.toThrow("after its release");
  expect(await readdir(parent)).toEqual(["model"]);
  using loaded = await loadLlama(device, directory);
  await expectSameWeights(before, loaded);
});

test("the files of a model are those that are saved, byte for byte", async () => {
  using model = await goldenModel(device, "mha-untied-bf16");
  const options = { maxShardBytes: 8000 };
  await model.save(directory, options);
  const files = await model.files(options);
  expect(files.map(({ name }) => name).toSorted()).toEqual(await readdir(directory));
  for (const { name, pieces } of files) {
    const parts: Uint8Array[] = [];
    for await (const piece of pieces()) parts.push(piece);
    expect(Buffer.concat(parts).equals(await readFile(join(directory, name))), name).toBe(true);
  }
});

test("bad options and places are refused", async () => {
  using model = initLlama(device, sizes, 1);
  await expect(model.save(directory, { maxShardBytes: 0 })).rejects.toThrow(ModelUseError);
  await expect(model.save(directory, { tokenizer: join(parent, "absent") })).rejects.toThrow(ModelError);
  await writeFile(directory, "a file");
  const inside = await model.save(join(directory, "model")).catch((error) => error);
  expect(inside).toBeInstanceOf(ModelError);
  expect(inside.message).toMatch(/model\/model could not be written \(E.*; it is as it was before$/);
  expect(await readdir(parent)).toEqual(["model"]);
});

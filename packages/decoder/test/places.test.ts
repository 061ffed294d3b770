import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors, type Folder, SafetensorsError } from "@lethe/tensor";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderOf, ModelError, openModelCheckpoint, readConfig, readStopTokens, readText } from "../src/index.ts";

/** A checkpoint in three shards. */
const sharded = fileURLToPath(new URL("../../tensor/test/safetensors/golden/sharded", import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "lethe-places-")));
});
afterEach(() => rm(directory, { recursive: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), content);
  }
}

/** The message of the error when a place is loaded. */
async function mistake(place: string | Folder = directory, kind: new (...args: never[]) => Error = ModelError) {
  const load = async () => {
    const folder = await folderOf(place);
    const config = await readConfig(folder);
    await readStopTokens(folder, config);
    await (await openModelCheckpoint(folder)).close();
    await readText(folder);
  };
  const error = await load().then(
    () => expect.fail("no error"),
    (error) => error,
  );
  expect(error).toBeInstanceOf(kind);
  return error.message.replaceAll(directory, "DIR");
}

/** A folder that cannot list its files, such as one behind a URL. */
async function unlisted(): Promise<Folder> {
  const { name, open } = await folderOf(directory);
  return { name, open };
}

test("no such directory", async () => {
  expect(await mistake(join(directory, "absent"))).toMatchInlineSnapshot(
    `"DIR/absent is not there; expected a model's directory, with config.json and *.safetensors"`,
  );
});

test("a file", async () => {
  await put({ "config.json": "{}" });
  expect(await mistake(join(directory, "config.json"))).toMatchInlineSnapshot(
    `"DIR/config.json is a file; expected a model's directory, with config.json and *.safetensors"`,
  );
});

test("a directory of something else", async () => {
  await put({ "notes.txt": "", "src/index.ts": "" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: there is no config.json in it. Give the directory of one model in Hugging Face's format, with config.json and *.safetensors."`,
  );
  expect(await mistake(await unlisted())).toBe(await mistake());
});

test("a directory of models", async () => {
  await put({ "b/config.json": "{}", "a/config.json": "{}", "README.md": "", "c/weights": "" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: there is no config.json in it. Give one of the models inside: a, b"`,
  );
});

test("a Hugging Face cache", async () => {
  await put({ "models--org--tiny/refs/main": "a", "models--a--b--c/refs/main": "a", "version.txt": "1" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: it is a Hugging Face cache. Give one of its models by name: a/b/c, org/tiny"`,
  );
});

test("a snapshot with only its config, and one without config", async () => {
  await put({
    "models--org--tiny/snapshots/a1/config.json": "{}",
    "models--org--other/snapshots/a1/tokenizer.json": "{}",
  });
  expect(await mistake(join(directory, "models--org--tiny"))).toMatchInlineSnapshot(
    `"DIR/models--org--tiny/snapshots/a1: only a part of this snapshot is in the cache, without weights. Run \`hf download org/tiny\`."`,
  );
  expect(await mistake(join(directory, "models--org--other"))).toContain("without config.json");
});

test("a config.json that is not a JSON object", async () => {
  await put({ "config.json": "{" });
  expect(await mistake()).toContain("DIR: config.json is not JSON (");
  await put({ "config.json": "[1]" });
  expect(await mistake()).toMatchInlineSnapshot(`"DIR: config.json holds [1], expected a JSON object"`);
});

/** A model's directory that is read to its end: without layers and tokens. */
async function putModel() {
  await put({ "config.json": "{}", "tokenizer.json": '{"model": {}}' });
  await writeFile(join(directory, "model.safetensors"), encodeSafetensors([]));
}

const files = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
];

test.each([...files, "model.safetensors", "model.safetensors.index.json"])(
  "a named pipe or a directory: %s",
  async (file) => {
    await putModel();
    // An index is read where there is no single file.
    if (file.endsWith("index.json")) await rm(join(directory, "model.safetensors"));
    await rm(join(directory, file), { force: true });
    execFileSync("mkfifo", [join(directory, file)]);
    expect(await mistake(directory, SafetensorsError)).toBe(
      `DIR/${file}: it is a directory, a pipe or a device, and not a file. Expected: the path of a file.`,
    );
    await rm(join(directory, file));
    await mkdir(join(directory, file));
    expect(await mistake(directory, SafetensorsError)).toContain("and not a file");
  },
);

test.each(files)("a file of three terabytes, or one that is not UTF-8: %s", async (file) => {
  await putModel();
  await put({ [file]: "" });
  await truncate(join(directory, file), 3e12);
  expect(await mistake(directory, SafetensorsError)).toBe(
    `DIR/${file}: it has 3000000000000 bytes. Expected: at most 67108864.`,
  );
  await writeFile(join(directory, file), Uint8Array.of(0x7b, 0xc3, 0x7d));
  expect(await mistake(directory, SafetensorsError)).toContain(`DIR/${file}: it is not UTF-8`);
});

test("no weights", async () => {
  await put({ "config.json": "{}", "tokenizer.json": "{}" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: there are no weights beside its config.json: expected model.safetensors, or model.safetensors.index.json and its shards"`,
  );
  await put({ "model-00001-of-00002.safetensors": "" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: there are no weights beside its config.json: expected model.safetensors, or model.safetensors.index.json and its shards; model-00001-of-00002.safetensors is neither that file nor in an index"`,
  );
});

test.each(["pytorch_model.bin", "pytorch_model.bin.index.json"])("pickles only: %s", async (file) => {
  await put({ "config.json": "{}", [file]: "", "training_args.bin": "" });
  expect(await mistake()).toContain(`DIR: its weights are in ${file}: pickles, which are not read`);
  expect(await mistake(await unlisted())).toBe(await mistake());
});

test("pickles only, with or without config.json", async () => {
  await put({ "model.pt": "", "config.yaml": "" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: its weights are in model.pt: pickles, which are not read because reading one can run any code. Convert them to safetensors. In Python, with \`transformers\`: AutoModelForCausalLM.from_pretrained(directory, dtype="auto").save_pretrained(converted, safe_serialization=True)"`,
  );
});

test("pickles of a training run are not taken for weights", async () => {
  await put({ "config.json": "{}", "optimizer.pt": "", "rng_state_0.pth": "", "training_args.bin": "" });
  expect(await mistake()).toContain("there are no weights");
});

test("Meta's own checkpoint", async () => {
  await put({ "params.json": "{}", "consolidated.00.pth": "", "tokenizer.model": "" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: its weights are Meta's own files (consolidated.00.pth): pickles, which are not read because reading one can run any code. Give the model in Hugging Face's format, as \`hf download\` gets it, or convert it with the script convert_llama_weights_to_hf.py of \`transformers\`."`,
  );
});

test("an adapter", async () => {
  await put({
    "adapter_model.safetensors": "",
    "adapter_config.json": '{"base_model_name_or_path": "org/base", "r": 8}',
  });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: it holds an adapter of org/base and not a model. Merge the two and give the merged directory. In Python, with \`peft\`: AutoPeftModelForCausalLM.from_pretrained(adapter).merge_and_unload().save_pretrained(merged)"`,
  );
  expect(await mistake(await unlisted())).toBe(await mistake());
  await put({ "adapter_config.json": "{}" });
  expect(await mistake()).toContain("an adapter of another model");
});

test("GGUF", async () => {
  await put({ "model-Q4_K_M.gguf": "", "config.json": "{}" });
  expect(await mistake()).toMatchInlineSnapshot(
    `"DIR: its weights are GGUF (model-Q4_K_M.gguf), which is not read. Give the directory in Hugging Face's format that they were made from."`,
  );
});

test("a clone without Git LFS", async () => {
  await put({ "config.json": "{}", "model.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n" });
  expect(await mistake(directory, SafetensorsError)).toMatchInlineSnapshot(
    `"DIR/model.safetensors: it is a Git LFS pointer, and the file is not there. Expected: the file itself; run \`git lfs pull\` in the clone."`,
  );
});

test("a truncated shard", async () => {
  await cp(sharded, directory, { recursive: true });
  await put({ "config.json": "{}" });
  const shard = join(directory, "model-00002-of-00003.safetensors");
  await truncate(shard, (await readFile(shard)).length - 100);
  expect(await mistake(directory, SafetensorsError)).toMatchInlineSnapshot(
    `"DIR/model-00002-of-00003.safetensors: tensor "model.layers.1.self_attn.v_proj.weight": the header describes 928 bytes of data, and the file has 828. Expected: all of them; fetch it again."`,
  );
  await truncate(shard, 100);
  expect(await mistake(directory, SafetensorsError)).toMatchInlineSnapshot(
    `"DIR/model-00002-of-00003.safetensors: the header claims to be 808 bytes long, and 92 follow. Expected: a complete file; fetch it again."`,
  );
  await truncate(shard, 0);
  expect(await mistake(directory, SafetensorsError)).toMatchInlineSnapshot(
    `"DIR/model-00002-of-00003.safetensors: the file has 0 bytes. Expected: at least the 8 bytes of the header's length."`,
  );
});

test("an index that names an absent shard", async () => {
  await cp(sharded, directory, { recursive: true });
  await put({ "config.json": "{}" });
  await rm(join(directory, "model-00003-of-00003.safetensors"));
  expect(await mistake(directory, SafetensorsError)).toMatchInlineSnapshot(
    `"DIR/model.safetensors.index.json: it names 3 shards, and DIR lacks "model-00003-of-00003.safetensors". Expected: every shard beside the index; fetch what is missing."`,
  );
});

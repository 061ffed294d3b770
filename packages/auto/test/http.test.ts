import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Decoder, LoadProgress } from "@lethe/decoder";
import { httpFolder, type Weight } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { type FileServer, indexPage, type Serving, serveFiles } from "@lethe/testing/file-server";
import { afterEach, expect, test } from "vitest";
import { loadModel } from "../src/index.ts";

const device = await testDevice();
/** 3 MB. */
const directory = fileURLToPath(new URL("../../../models/tiny-llama", import.meta.url));
const files = new Map<string, Uint8Array>();
for (const file of await readdir(directory)) files.set(`/${file}`, await readFile(`${directory}/${file}`));
const weightBytes = files.get("/model.safetensors")!.length;

let server: FileServer;
afterEach(() => server[Symbol.asyncDispose]());
async function serve(serving: Serving, without: readonly string[] = []) {
  server = await serveFiles(new Map([...files].filter(([path]) => !without.includes(path))), serving);
  return httpFolder(server.url);
}

/** A hash of each weight of a model, and the tokens of a text. */
async function contentOf(model: Decoder) {
  const hash = async (weight: Weight) =>
    createHash("sha256")
      .update(await weight.read())
      .digest("hex");
  const weights: [string, string][] = [];
  for (const [name, weight] of model.weights) weights.push([name, await hash(weight)]);
  return { weights, tokens: await model.text!.encode("Question: Who wrote it?") };
}
let original: Promise<Awaited<ReturnType<typeof contentOf>>> | undefined;
async function contentOfOriginal() {
  using model = await loadModel(device, directory);
  return await contentOf(model);
}

test.each<[string, Serving]>([
  ["that answers ranges", {}],
  ["that answers absent files with its index page", { absent: indexPage }],
  ["that ignores ranges, and answers absent files with its index page", { ranges: false, absent: indexPage }],
])("a model from a server %s is the one of its directory", async (_, serving) => {
  using model = await loadModel(device, await serve(serving));
  original ??= contentOfOriginal();
  expect(await contentOf(model)).toEqual(await original);
});

test("3 MB take two round trips one after the other, and one request for all weights", async () => {
  // The bound is 2 × (one round trip + the bytes' own time). Each byte is sent once.
  using _model = await loadModel(device, await serve({ roundMs: 150 }));
  expect(server.rounds).toBe(2);
  const ranges = server.requests.filter(({ path }) => path === "/model.safetensors").map(({ range }) => range);
  expect(ranges).toEqual(["bytes=0-262143", `bytes=262144-${weightBytes - 1}`]);
  expect(server.most).toBeLessThanOrEqual(9);
});

test("progress counts the weights' bytes to their end", async () => {
  const steps: LoadProgress[] = [];
  using model = await loadModel(device, await serve({}), { onProgress: (step) => steps.push(step) });
  const total = [...model.weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  expect(new Set(steps.map(({ stage, totalBytes }) => `${stage} ${totalBytes}`))).toEqual(
    new Set([`weights ${total}`]),
  );
  const done = steps.map(({ doneBytes }) => doneBytes);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(done.at(-1)).toBe(total);
});

test("a load ends where its signal is aborted, and leaves nothing on the device", async () => {
  const memory = device.memory().bytesInUse;
  const stop = new AbortController();
  const onProgress = () => stop.abort(new Error("enough"));
  await expect(loadModel(device, await serve({}), { signal: stop.signal, onProgress })).rejects.toThrow("enough");
  await expect(loadModel(device, httpFolder(server.url), { signal: stop.signal })).rejects.toThrow("enough");
  await expect(loadModel(device, directory, { signal: stop.signal })).rejects.toThrow("enough");
  expect(device.memory().bytesInUse).toBe(memory);
});

test("a load ends although the server never answers", async () => {
  const stop = new AbortController();
  const folder = await serve({
    instead: ({ headers }) => {
      const weights = !headers.range?.startsWith("bytes=0-");
      if (weights) stop.abort(new Error("enough"));
      return weights;
    },
  });
  await expect(loadModel(device, folder, { signal: stop.signal })).rejects.toThrow("enough");
});

const messageOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => expect.fail("no error"),
    (error) => error,
  );
  return error.message.replaceAll(server.url, "URL");
};

test("the error names what is missing, and what the server answered", async () => {
  const folder = await serve({ absent: indexPage }, ["/config.json"]);
  expect(await messageOf(loadModel(device, folder))).toMatchInlineSnapshot(`
    "URL/: there is no config.json in it. Give the directory of one model in Hugging Face's format, with config.json and *.safetensors.
      config.json: the server answered with status 200 and a page of HTML"
  `);
});

test("the error names missing weights, and what the server answered", async () => {
  const folder = await serve({ absent: indexPage }, ["/model.safetensors"]);
  expect(await messageOf(loadModel(device, folder))).toMatchInlineSnapshot(`
    "URL/: there are no weights beside its config.json: expected model.safetensors, or model.safetensors.index.json and its shards
      model.safetensors: the server answered with status 200 and a page of HTML
      model.safetensors.index.json: the server answered with status 200 and a page of HTML"
  `);
});

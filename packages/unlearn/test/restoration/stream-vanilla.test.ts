import { loadModel, streamModel } from "@lethe/auto";
import type { Decoder, ModelPlace } from "@lethe/decoder";
import { Hooks, siteNames } from "@lethe/hooks";
import type { FloatDType, Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { savedFolder } from "@lethe/testing/memory-folder";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import {
  questionBatch,
  type RecordedRun,
  runVanilla,
  type Setting,
  settings,
  streamVanilla,
  streamVanillaMemory,
  sweepRestoration,
} from "../../src/index.ts";

const device = await testDevice();
const depth = 6;

async function folderOf(model: Decoder, dtype: FloatDType) {
  return await savedFolder(await model.files({ dtype }));
}

function questionsOf(count = 3) {
  const tokens = (length: number) => Array.from({ length }, () => integer(2, 52));
  return questionBatch(
    device,
    Array.from({ length: count }, (_, i) => ({ prompt: tokens(4 + i), answer: tokens(3) })),
  );
}

/** All that a run gives, bit for bit, by the names of hook points. */
async function contentOf(run: RecordedRun) {
  const found: [string, Tensor][] = [["logits", run.logits]];
  for (const site of siteNames)
    for (let layer = 0; layer < depth; layer++) {
      const tensor = run.tensorAt(site, layer);
      if (tensor) found.push([`${site}.${layer}`, tensor]);
    }
  const content: Record<string, readonly [string, Uint32Array]> = {};
  for (const [name, tensor] of found) content[name] = [tensor.dtype, new Uint32Array((await tensor.read()).buffer)];
  return content;
}

test.each<FloatDType>(["f32", "bf16", "f16"])(
  "a streamed run of a model in %s is the run of the loaded model, and so is a sweep by it",
  async (dtype) => {
    using fresh = smallLlama(device, integer(0, 1e6), { num_hidden_layers: depth });
    using unlearned = smallLlama(device, integer(0, 1e6), { num_hidden_layers: depth });
    const folder = await folderOf(fresh, dtype);
    using vanilla = await loadModel(device, folder);
    using questions = questionsOf();
    using run = runVanilla(vanilla, questions);
    using streamed = await streamVanilla(folder, questions);
    const content = await contentOf(run);
    // m, A and W_V of each layer.
    expect(Object.keys(content)).toHaveLength(1 + 3 * depth);
    expect(await contentOf(streamed)).toEqual(content);
    const sweep = (run: RecordedRun) => sweepRestoration({ unlearned, questions, run, radius: 1 });
    expect(await sweep(streamed)).toEqual(await sweep(run));
  },
);

test("only what the settings put back is kept, in the layers of the windows", async () => {
  using fresh = smallLlama(device, 1, { num_hidden_layers: depth });
  const folder = await folderOf(fresh, "bf16");
  using questions = questionsOf();
  const named = (name: string) => settings.filter((setting) => setting.name === name);
  const namesOf = async (place: ModelPlace, setting: string, windows?: { radius: number; stride?: number }) => {
    using run = await streamVanilla(place, questions, { settings: named(setting), windows });
    return Object.keys(await contentOf(run));
  };
  expect(await namesOf(folder, "m")).toEqual(["logits", ...Array.from({ length: depth }, (_, layer) => `m.${layer}`)]);
  expect(await namesOf(folder, "W_V", { radius: 0, stride: 3 })).toEqual(["logits", "W_V.0", "W_V.3"]);
  expect(await namesOf(folder, "W_V-isolated", { radius: 1, stride: 4 })).toEqual([
    "logits",
    ...[0, 1, 3, 4, 5].map((layer) => `W_V.${layer}`),
  ]);
});

test("a setting that does not say that it needs W_V is told so", async () => {
  using fresh = smallLlama(device, 1, { num_hidden_layers: depth });
  using questions = questionsOf();
  const silent: Setting<"silent"> = {
    ...{ name: "silent", label: "", marker: "circle", isolated: false, vanilla: [] },
    hooks: ({ window, vanilla }) => new Hooks().restore("W_V", window, vanilla),
  };
  using run = await streamVanilla(await folderOf(fresh, "f32"), questions, { settings: [silent] });
  await expect(sweepRestoration({ unlearned: fresh, questions, run, radius: 0, settings: [silent] })).rejects.toThrow(
    "the vanilla run has no W_V.0",
  );
});

test("the device holds a block, the weights outside the blocks and the recording at most, and then the recording", async () => {
  // The weights outweigh the activations.
  const config = { num_hidden_layers: depth, hidden_size: 128, intermediate_size: 512, num_attention_heads: 4 };
  using fresh = smallLlama(device, 1, config);
  const folder = await folderOf(fresh, "bf16");
  using questions = questionsOf(1);
  const streamed = await streamModel(device, folder, { tokenizer: null });
  const weights = streamed.memory().reduce((sum, { bytes }) => sum + bytes, 0);
  const whole = [...fresh.weights.values()].reduce((sum, { size }) => sum + 2 * size, 0);
  const measure = async (names: readonly string[]) => {
    const chosen = settings.filter(({ name }) => names.includes(name));
    const before = device.memory().bytesInUse;
    device.pool.resetPeak();
    using _run = await streamVanilla(streamed, questions, { settings: chosen });
    const { bytesInUse, peakBytes } = device.memory();
    return { kept: bytesInUse - before, peak: peakBytes - before };
  };
  const activations = await measure(["m"]);
  const tokens = questions.batch.ids.size;
  const recorded = depth * device.pool.sizeOf(4 * tokens * 512) + device.pool.sizeOf(4 * questions.rows.size * 53);
  expect(activations.kept).toBe(recorded);
  // A few activations of one block, and a rotary table, come to it.
  expect(activations.peak).toBeGreaterThan(weights);
  expect(activations.peak).toBeLessThan(weights + recorded + 2 ** 17);
  expect(weights).toBeLessThan(whole / 4);
  const values = await measure(["m", "W_V"]);
  const matrices = depth * 2 * 128 * 512;
  const planned = (names: readonly string[]) => {
    const needs = streamVanillaMemory(streamed, { settings: settings.filter(({ name }) => names.includes(name)) });
    return needs.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  expect(planned(["m"])).toBe(weights);
  expect(planned(["m", "W_V"])).toBe(weights + matrices);
  expect(values.kept).toBe(recorded + matrices);
  expect(values.peak).toBeLessThan(weights + recorded + matrices + 2 ** 17);
  await streamed.close();
});

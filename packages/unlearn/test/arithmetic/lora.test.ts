import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchOf, type ForwardOptions, ModelUseError } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { type Llama, loadLlama } from "@lethe/llama";
import { type F32, type Ops, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdamW, Lora, type MicroBatch, passOver, tokenNll, train } from "../../src/index.ts";

const device = await testDevice();
const texts = [
  [3, 9, 4, 17, 30, 5],
  [8, 2, 40],
];
const settings = { rank: 3, alpha: 6, seed: 4 };
const accepts = (name: string) => /down_proj|q_proj|lm_head/.test(name);
const parts = { atol: 1e-5, rtol: 1e-5 };

let parent: string;
let model: Llama;
/** The model with its update written into its weights: saved, and loaded again. */
let merged: Llama;
let lora: Lora;
let before: Float32Array[];
const losses: number[] = [];
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "lethe-lora-"));
  model = smallLlama(device, 2);
  before = await Promise.all([...model.weights.values()].map((weight) => weight.read()));
  lora = new Lora(model.weights, { ...settings, accepts });
  const step: MicroBatch = {
    name: "texts",
    loss: (tape) => {
      const over = lora.over(tape.ops);
      const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => tape.checkpoint(x, run);
      return tokenNll(over, passOver(model, texts, { ops: over, wrapBlock }));
    },
  };
  const adamw = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };
  using optimiser = new AdamW(lora.trainables, adamw);
  const steps = Array.from({ length: 30 }, () => [step]);
  for await (const { loss } of train(device, { optimiser, schedule: () => 0.03, steps })) losses.push(loss);
  const weights = lora.merge();
  await model.save(parent, { weights });
  for (const weight of weights.values()) weight.dispose();
  merged = await loadLlama(device, parent);
  using _warm = device.scope("the models' own rotary tables");
  for (const each of [model, merged]) each.forward(batchOf(device, texts));
});
afterAll(async () => {
  lora[Symbol.dispose]();
  model.dispose();
  merged.dispose();
  await rm(parent, { recursive: true });
});

const logits = (of: Llama, arithmetic: Ops, hooks = new Hooks()): Promise<Float32Array> =>
  of.forward(batchOf(device, texts), { ops: arithmetic, hooks }).read();

test("training lowers the loss and leaves every weight of the model as it was", async () => {
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  for (const [i, weight] of [...model.weights.values()].entries()) expect(await weight.read()).toEqual(before[i]);
});

test("merged, saved and loaded, the model gives the logits of the model with its update", async () => {
  expectClose(await logits(merged, ops), await logits(model, lora.over(ops)), parts);
  const [plain, updated] = [await logits(model, ops), await logits(model, lora.over(ops))];
  expect(Math.max(...plain.map((value, i) => Math.abs(value - updated[i]!)))).toBeGreaterThan(0.1);
});

test("a merged weight that is not the model's, or of another shape, is not saved", async () => {
  const save = (name: string, ...shape: number[]) =>
    model.save(join(parent, "other"), { weights: new Map([[name, device.tensor(new Float32Array(4), shape)]]) });
  await expect(save("model.norm.weight", 4)).rejects.toThrow(ModelUseError);
  await expect(save("no.weight", 4)).rejects.toThrow("no.weight is [4], and the model's own is none");
});

test("decoding with a KV cache gives the merged model's tokens", async () => {
  const options = { maxNewTokens: 6, stop: [] };
  const made = await model.generate(texts, { ...options, ops: lora.over(ops) });
  expect(made).toEqual(await merged.generate(texts, options));
  expect(made).not.toEqual(await model.generate(texts, options));
});

describe("a hook at W_V", () => {
  test("captures the effective matrix", async () => {
    using seen = new Captures();
    const hooks = new Hooks().capture("W_V", seen);
    expectClose(await logits(model, lora.over(ops), hooks), await logits(merged, ops), parts);
    for (const layer of [0, 1, 2, 3])
      expectClose(await seen.get("W_V", layer).read(), await merged.tensorAt("W_V", layer)!.read(), parts);
  });

  test("puts the frozen matrix back, and its update away, when it restores from the model itself", async () => {
    const hooks = new Hooks().restore("W_V", [1, 2], model);
    expectClose(await logits(model, lora.over(ops), hooks), await logits(merged, ops, hooks), parts);
    const plain = await logits(model, ops);
    expect(await logits(model, ops, hooks)).toEqual(plain);
  });

  test("edits the effective matrix", async () => {
    const hooks = new Hooks().scale("W_V", -0.5, { layers: [3] });
    expectClose(await logits(model, lora.over(ops), hooks), await logits(merged, ops, hooks), parts);
    const same = new Hooks().edit("W_V", (x: F32) => x);
    expect(await logits(model, lora.over(ops), same)).toEqual(await logits(model, lora.over(ops)));
  });
});

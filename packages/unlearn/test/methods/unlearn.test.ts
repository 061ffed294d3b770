import type { StepRecord } from "@lethe/autograd";
import { trainingRecipe } from "@lethe/lab";
import type { Llama } from "@lethe/llama";
import { ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { describe, expect, test } from "vitest";
import { labelledBatch } from "../../src/data/index.ts";
import { type UnlearnOptions, unlearn } from "../../src/methods/index.ts";
import { tokenNll } from "../../src/methods/objectives/index.ts";

const device = await testDevice();

// Texts of different lengths in two disjoint halves of the vocabulary.
const texts = (base: number) =>
  Array.from({ length: 6 }, (_, i) => Array.from({ length: 5 + i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const [forget, retain] = [texts(2), texts(28)];

function options(method: "graddiff" | "npo", changes: Partial<UnlearnOptions["recipe"]> = {}): UnlearnOptions {
  const recipe = {
    ...trainingRecipe("tiny-llama", method, 3),
    stepsPerEpoch: 2,
    batchSize: 3,
    learningRate: 5e-3,
    ...changes,
  };
  return { recipe, forget, retain, seed: 3 };
}

async function nll(model: Llama, sequences: readonly number[][]): Promise<number> {
  using _ = device.scope("nll");
  return tokenNll(ops, (batch) => model.forward(batch), labelledBatch(device, sequences)).item();
}

async function run(method: "graddiff" | "npo", changes: Partial<UnlearnOptions["recipe"]> = {}) {
  using model = smallLlama(device, 5, { num_hidden_layers: 2 });
  const before = { forget: await nll(model, forget), retain: await nll(model, retain) };
  const epochs: StepRecord[][] = [];
  for await (const records of unlearn(model, options(method, changes))) epochs.push(records);
  const after = { forget: await nll(model, forget), retain: await nll(model, retain) };
  const weights = await Promise.all([...model.weights.values()].map((weight) => weight.read()));
  return { before, after, epochs, weights };
}

describe.each(["graddiff", "npo"] as const)("%s", (method) => {
  test("makes the forget text less likely, and gives the same bits twice", async () => {
    const [first, second] = [await run(method), await run(method)];
    expect(first.after.forget).toBeGreaterThan(first.before.forget + 0.1);
    expect(first.epochs.map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(first.epochs[0]![0]!.learningRate).toBe(0);
    expect(second.epochs).toEqual(first.epochs);
    expect(second.weights).toEqual(first.weights);
  });
});

test("checkpointed blocks change no bit", async () => {
  const [plain, checkpointed] = [await run("graddiff"), await run("graddiff", { checkpointing: true })];
  expect(checkpointed.weights).toEqual(plain.weights);
});

test("Gradient Difference holds on to the retain text", async () => {
  const { before, after } = await run("graddiff");
  expect(after.retain).toBeLessThan(before.retain);
});

test("NPO ends when its loss has fallen to 0", async () => {
  const { epochs } = await run("npo", { epochs: 40, learningRate: 0.05, objective: { name: "npo", beta: 2 } });
  expect(epochs.length).toBeLessThan(40);
  expect(epochs.at(-1)!.every(({ loss }) => loss < 1e-3)).toBe(true);
});

test("says what is missing", async () => {
  using model = smallLlama(device, 5);
  const first = (changes: Partial<UnlearnOptions>) => unlearn(model, { ...options("npo"), ...changes }).next();
  await expect(first({ forget: [] })).rejects.toThrow("there is no forget text");
  await expect(first({ retain: [[1, 2], [3]] })).rejects.toThrow("retain text 1 has 1 tokens");
});

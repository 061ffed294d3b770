import { trainingRecipe } from "@lethe/lab";
import { OutOfMemoryError, openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { unlearn } from "@lethe/unlearn";
import { expect, onTestFinished, test } from "vitest";
import { AdamW, selectTrainable, trainingMemory } from "../../src/index.ts";

async function setUp(memoryBytes: number) {
  const device = await openDevice({ memoryBytes });
  onTestFinished(() => device.destroy());
  return { device, model: smallLlama(device, 1) };
}

test("moments take what the plan says, and gradients as much as each of them", async () => {
  const { device, model } = await setUp(2 ** 30);
  const trainables = selectTrainable(model.weights, "all");
  const needs = trainingMemory(trainables);
  const sum = (part: RegExp) => needs.reduce((total, need) => total + (part.test(need.part) ? need.bytes : 0), 0);
  const before = device.memory().bytesInUse;
  using _ = new AdamW(trainables, trainingRecipe("tiny-llama", "npo", 10));
  expect(sum(/moments$/)).toBe(device.memory().bytesInUse - before);
  expect(sum(/^gradients$/)).toBe(sum(/first moments$/));
  expect(sum(/^gradients$/)).toBeGreaterThanOrEqual(trainables.reduce((total, t) => total + t.parameter.bytes, 0));
});

test("unlearning that does not fit says so before it starts", async () => {
  const { device, model } = await setUp(100_000);
  const recipe = trainingRecipe("tiny-llama", "npo", 10);
  const run = unlearn(model, { recipe, forget: [[1, 2, 3]], retain: [[4, 5, 6]], seed: 1 });
  const before = device.dispatches;
  const error = await run.next().catch((error) => error);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error.message).toMatch(
    /^unlearning llama needs [\d,]+ bytes .*\n {2}gradients .*\n {2}AdamW's first moments /,
  );
  expect(device.dispatches).toBe(before);
});

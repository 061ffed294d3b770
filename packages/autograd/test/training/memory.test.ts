import { openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test } from "vitest";
import { AdamW, selectTrainable, trainingMemory } from "../../src/index.ts";

test("moments take the bytes that the plan names, hardly more than the weights, and gradients those of pooled tensors", async () => {
  const device = await openDevice();
  onTestFinished(() => device.destroy());
  const trainables = selectTrainable(smallLlama(device, 1).weights);
  const needs = trainingMemory(trainables);
  const sum = (part: RegExp) => needs.reduce((total, need) => total + (part.test(need.part) ? need.bytes : 0), 0);
  const before = device.memory().bytesInUse;
  using _ = new AdamW(trainables, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  expect(sum(/moments$/)).toBe(device.memory().bytesInUse - before);
  const weights = trainables.reduce((total, { parameter }) => total + parameter.bytes, 0);
  const [gradients, first] = [sum(/^gradients$/), sum(/first moments$/)];
  expect(first).toBeGreaterThanOrEqual(weights);
  expect(first).toBeLessThan(weights + 16 * trainables.length);
  expect(gradients).toBeGreaterThanOrEqual(weights);
});

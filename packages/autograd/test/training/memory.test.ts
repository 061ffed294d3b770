import { openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test } from "vitest";
import { AdamW, selectTrainable, trainingMemory } from "../../src/index.ts";

test("moments take the bytes that the plan names, and gradients as many as each of them", async () => {
  const device = await openDevice();
  onTestFinished(() => device.destroy());
  const trainables = selectTrainable(smallLlama(device, 1).weights);
  const needs = trainingMemory(trainables);
  const sum = (part: RegExp) => needs.reduce((total, need) => total + (part.test(need.part) ? need.bytes : 0), 0);
  const before = device.memory().bytesInUse;
  using _ = new AdamW(trainables, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  expect(sum(/moments$/)).toBe(device.memory().bytesInUse - before);
  expect(sum(/^gradients$/)).toBe(sum(/first moments$/));
  expect(sum(/^gradients$/)).toBeGreaterThanOrEqual(trainables.reduce((total, t) => total + t.parameter.bytes, 0));
});

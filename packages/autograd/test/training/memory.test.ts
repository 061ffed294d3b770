import { openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test } from "vitest";
import { AdamW, selectTrainable, trainingMemory } from "../../src/index.ts";

test("moments and gradients take the bytes that the plan names, hardly more than the weights", async () => {
  const device = await openDevice();
  onTestFinished(() => device.destroy());
  const trainables = selectTrainable(smallLlama(device, 1).weights);
  const needs = trainingMemory(trainables);
  const planned = (part: RegExp) => needs.reduce((total, need) => total + (part.test(need.part) ? need.bytes : 0), 0);
  const held = (label: RegExp) =>
    [...device.memory().live].reduce((total, [of, { bytes }]) => total + (label.test(of) ? bytes : 0), 0);
  using optimiser = new AdamW(trainables, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 });
  expect(planned(/moments$/)).toBe(held(/exp_avg/));
  const places = optimiser.gradientPlaces();
  expect(planned(/^gradients$/)).toBe(held(/\.grad/));
  for (const place of places.values()) place.dispose();
  const weights = trainables.reduce((total, { parameter }) => total + parameter.bytes, 0);
  const first = planned(/first moments$/);
  expect(first).toBeGreaterThanOrEqual(weights);
  expect(first).toBeLessThan(weights + device.capabilities.bindingAlignment * trainables.length);
});

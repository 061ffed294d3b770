import { batchOf } from "@lethe/decoder";
import { castInto } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import { type AnswerStep, type RestoredPart, restoredAnswer, settings } from "../../src/index.ts";

const device = await testDevice();

/** A model whose weights are so large that they decide something. */
function largeLlama(seed: number) {
  const model = smallLlama(device, seed);
  for (const [name, weight] of model.weights)
    if (!name.includes("norm")) device.writeBytes(weight, 0, new Uint8Array(normal(weight.size, 0.5).buffer));
  return model;
}

const vanilla = largeLlama(1);
const other = largeLlama(2);
/** The vanilla model with the gates of layers 1 and 2 of another one: only m of these layers is touched by it at once. */
const unlearned = vanilla.copyInF32();
for (const layer of [1, 2]) {
  const name = `model.layers.${layer}.mlp.gate_proj.weight`;
  castInto(unlearned.weights.get(name)!, other.weights.get(name)!);
}
// A model makes its rotary table in its first run, and keeps it.
for (const model of [vanilla, unlearned]) {
  using _ = device.scope("warm-up");
  model.forward(batchOf(device, [[1]]));
}
afterAll(() => {
  for (const model of [vanilla, other, unlearned]) model.dispose();
});

const prompt = [5, 17, 30, 2, 41];
const settingNamed = (name: string) => settings.find((setting) => setting.name === name)!;

async function answer(restored?: RestoredPart, more: object = {}): Promise<AnswerStep[]> {
  const steps: AnswerStep[] = [];
  for await (const step of restoredAnswer({ vanilla, unlearned, prompt, restored, maxTokens: 8, ...more }))
    steps.push(step);
  return steps;
}

const tokensOf = (steps: readonly AnswerStep[]) => steps.map(({ token }) => token);

describe("restoredAnswer", () => {
  test("is the unlearned model's own greedy answer where nothing is restored", async () => {
    const steps = await answer();
    const [own] = await unlearned.generate([prompt], { maxNewTokens: 8 });
    expect(tokensOf(steps.filter(({ stops }) => !stops))).toEqual(own!.tokens);
    for (const step of steps) expect(step.probability).toBe(step.unlearned);
  });

  test("is the vanilla model's answer, with its probabilities, where all that differs is restored", async () => {
    const steps = await answer({ setting: settingNamed("m"), centre: 1, radius: 1 });
    expect(tokensOf(steps)).toEqual(tokensOf(await answer(undefined, { unlearned: vanilla })));
    for (const { probability, vanilla: wanted } of steps) expect(Math.abs(probability - wanted)).toBeLessThan(1e-5);
    expect(steps.some(({ unlearned: before, vanilla: wanted }) => Math.abs(before - wanted) > 1e-3)).toBe(true);
  });

  test("leaves the answer as it is where the restored part was not changed", async () => {
    const steps = await answer({ setting: settingNamed("W_V"), centre: 2, radius: 1 });
    for (const step of steps) expect(Math.abs(step.probability - step.unlearned)).toBeLessThan(1e-5);
  });

  test("names the likeliest tokens in falling order, and leaves nothing on the device", async () => {
    const before = device.memory().bytesInUse;
    for (const setting of settings) {
      const [step] = await answer({ setting, centre: 0, radius: 1 }, { top: 4, maxTokens: 1 });
      const found = step!.likeliest.map(({ probability }) => probability);
      expect(found).toHaveLength(4);
      expect(found).toEqual([...found].sort((a, b) => b - a));
      expect(step!.likeliest[0]).toEqual({ token: step!.token, probability: step!.probability });
    }
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("stops with the signal's reason, and refuses a centre that is no layer's number", async () => {
    await expect(answer(undefined, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    await expect(answer({ setting: settingNamed("m"), centre: -1, radius: 1 })).rejects.toThrow("restoredAnswer");
  });
});

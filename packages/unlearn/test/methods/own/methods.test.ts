import type { Llama } from "@lethe/llama";
import { ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { type Means, type Method, passOver, tokenNll, unlearn } from "@lethe/unlearn";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { misdirection } from "./misdirection.ts";
import { taskVector } from "./task-vector.ts";

const device = await testDevice();
const texts = (base: number) =>
  Array.from({ length: 4 }, (_, i) => Array.from({ length: 6 + i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const [forget, retain] = [texts(2), texts(28)];
const recipe = { learningRate: 3e-2, epochs: 6, batchSize: 2, gradientAccumulation: 1, checkpointing: false };

const weightsOf = async (model: Llama) =>
  new Map(await Promise.all([...model.weights].map(async ([name, weight]) => [name, await weight.read()] as const)));

/** Unlearns; gives the weights before, the losses and weights of each epoch, and what `measure` makes of the model at the end. */
async function run<T>(options: Means, measure?: (model: Llama) => Promise<T>, changes: object = {}) {
  using model = smallLlama(device, 5, { num_hidden_layers: 3 });
  const start = await weightsOf(model);
  const epochs: { losses: number[]; weights: typeof start }[] = [];
  for await (const records of unlearn(model, {
    ...options,
    recipe: { ...recipe, ...changes },
    forget,
    retain,
    seed: 1,
  }))
    epochs.push({ losses: records.map(({ loss }) => loss), weights: await weightsOf(model) });
  return { start, epochs, end: epochs.at(-1)!.weights, measured: await measure?.(model) };
}

describe("a method that sees a hook point, and compares it with the reference model's", () => {
  /** Residual streams of the retain text after layer 1. */
  const streams = async (model: Llama) => {
    using _ = device.scope("streams");
    return [...(await passOver(model, retain).at("resid_post", 1).read())];
  };

  test("moves the forget text to its target, and trains the MLPs up to the point and nothing else", async () => {
    const { start, epochs, end } = await run({ method: misdirection });
    expect(epochs.at(-1)!.losses.at(-1)!).toBeLessThan(epochs[0]!.losses[0]! / 2);
    for (const [name, values] of end)
      expect(`${start.get(name)}` === `${values}`, `${name} is as it was`).toBe(!/layers\.[01]\.mlp/.test(name));
  });

  test("holds the retain text where the reference model has it", async () => {
    using fresh = smallLlama(device, 5, { num_hidden_layers: 3 });
    const before = await streams(fresh);
    const drift = async (alpha: number) => {
      const { measured } = await run({ method: misdirection, options: { alpha } }, streams);
      return measured!.reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0);
    };
    expect(await drift(10)).toBeLessThan((await drift(0)) / 2);
  });

  test("gives the same bits with checkpointed blocks", async () => {
    const checkpointed = await run({ method: misdirection }, undefined, { checkpointing: true });
    expect(checkpointed.end).toEqual((await run({ method: misdirection })).end);
  });

  test("says which layers there are", async () => {
    await expect(run({ method: misdirection, options: { layer: 9 } })).rejects.toThrow(/layer 9 .* layers 0 to 2/);
  });
});

describe("a method that edits weights", () => {
  test("edits them once, after the last epoch", async () => {
    const [edited, tuned] = [
      await run({ method: taskVector, options: { alpha: 0.5 } }),
      await run({ objective: taskVector.objective!({ alpha: 0 }) }),
    ];
    expect(edited.epochs.map(({ losses }) => losses)).toEqual(tuned.epochs.map(({ losses }) => losses));
    expect(edited.epochs.at(-2)!.weights).toEqual(tuned.epochs.at(-2)!.weights);
    for (const [name, start] of edited.start) {
      const learned = tuned.end.get(name)!;
      expectClose(
        edited.end.get(name)!,
        start.map((value, i) => value - 0.5 * (learned[i]! - value)),
        { label: name },
      );
    }
  });

  test("makes the forget text less likely than before it was learned", async () => {
    const nll = (model: Llama) => {
      using _ = device.scope("nll");
      return tokenNll(ops, passOver(model, forget)).item();
    };
    using fresh = smallLlama(device, 5, { num_hidden_layers: 3 });
    expect((await run({ method: taskVector }, nll, { learningRate: 1e-2 })).measured!).toBeGreaterThan(
      await nll(fresh),
    );
  });

  test("trains nothing without an objective", async () => {
    const { objective: _, ...rest } = taskVector;
    const halved: Method = {
      ...rest,
      options: z.strictObject({}),
      edit:
        () =>
        (ops, { start }) =>
          ops.affine(start, { factor: 0.5 }),
    };
    const { start, epochs, end } = await run({ method: halved });
    expect(epochs.map(({ losses }) => losses)).toEqual([[]]);
    for (const [name, values] of end) expect(values).toEqual(start.get(name)!.map((value) => value / 2));
  });

  test("must keep the shape of each weight", async () => {
    const summed: Method = {
      ...taskVector,
      options: z.strictObject({}),
      edit:
        () =>
        (ops, { start }) =>
          ops.sum(start),
    };
    await expect(run({ method: summed })).rejects.toThrow(/the edit of model.* has shape \[\]; expected \[/);
  });
});

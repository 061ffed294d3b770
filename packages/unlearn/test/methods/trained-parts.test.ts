import { Tape } from "@lethe/autograd";
import type { Llama } from "@lethe/llama";
import { type F32, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import {
  methodNamed,
  type Objective,
  passOver,
  selectTrainable,
  trainedPart,
  type UnlearnOptions,
  unlearn,
} from "../../src/index.ts";
import { LowRankTraining } from "../../src/methods/low-rank.ts";
import { computeReferences, lossOf } from "../../src/methods/passes.ts";
import { inF32 } from "../../src/methods/references/f32.ts";

const device = await testDevice();
const texts = (base: number) =>
  Array.from({ length: 4 }, (_, i) => Array.from({ length: 6 + i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const [forget, retain] = [texts(2), texts(28)];
const recipe = { learningRate: 2e-2, epochs: 3, batchSize: 4, gradientAccumulation: 1, warmupEpochs: 0 };
const layers = 3;

type Matrix = { readonly shape: readonly number[]; readonly values: Float32Array };

const weightsOf = async (model: Llama): Promise<Map<string, Matrix>> =>
  new Map(
    await Promise.all(
      [...model.weights].map(async ([name, w]) => [name, { shape: w.shape, values: await w.read() }] as const),
    ),
  );

/** Unlearns; gives the weights that changed, by how much, and what `measure` sees after each epoch. */
async function changesOf<T>(options: Partial<UnlearnOptions>, measure?: (model: Llama) => Promise<T>) {
  using model = smallLlama(device, 5, { num_hidden_layers: layers });
  const start = await weightsOf(model);
  const given = { method: "graddiff", recipe, forget, retain, seed: 1, ...options } as UnlearnOptions;
  const epochs: { loss: number; measured: T | undefined }[] = [];
  await device.scoped("the model's rotary table", () => passOver(model, forget).logits()).read();
  const inUse = device.memory().bytesInUse;
  for await (const [record] of unlearn(model, given))
    epochs.push({ loss: record!.loss, measured: await measure?.(model) });
  expect(device.memory().bytesInUse, "bytes in use after unlearning").toBe(inUse);
  const changed = new Map<string, Matrix>();
  for (const [name, { shape, values }] of await weightsOf(model)) {
    const before = start.get(name)!.values;
    if (values.some((value, i) => value !== before[i]))
      changed.set(name, { shape, values: values.map((value, i) => value - before[i]!) });
  }
  return { changed, epochs, names: [...start.keys()] };
}

const down = (layer: number) => `model.layers.${layer}.mlp.down_proj.weight`;

test("W_V: every other weight keeps its bits", async () => {
  expect([...(await changesOf({ trains: "W_V" })).changed.keys()]).toEqual([0, 1, 2].map(down));
});

test("needle: one column changes", async () => {
  const { changed } = await changesOf({ trains: "needle:1.7" });
  expect([...changed.keys()]).toEqual([down(1)]);
  const { shape, values } = changed.get(down(1))!;
  const columns = new Set([...values.keys()].filter((i) => values[i] !== 0).map((i) => i % shape[1]!));
  expect([...columns]).toEqual([7]);
});

/** The largest element that is left after each step of an elimination with full pivots: about 0 from the rank on. */
function remainders({ shape: [rows, columns], values }: Matrix): number[] {
  const at = Float64Array.from(values);
  return Array.from({ length: Math.min(rows!, columns!) + 1 }, () => {
    let pivot = 0;
    for (const [i, value] of at.entries()) if (Math.abs(value) > Math.abs(at[pivot]!)) pivot = i;
    const left = Math.abs(at[pivot]!);
    const [row, column] = [Math.floor(pivot / columns!), pivot % columns!];
    const pivots = at.slice(row * columns!, (row + 1) * columns!);
    for (let r = 0; left > 0 && r < rows!; r++) {
      const factor = at[r * columns! + column]! / pivots[column]!;
      for (let c = 0; c < columns!; c++) at[r * columns! + c]! -= factor * pivots[c]!;
    }
    return left;
  });
}

describe("lora", () => {
  test.each([1, 3])(
    "of rank %i: every projection changes by a matrix of at most this rank, and nothing else does",
    async (rank) => {
      const { changed, names } = await changesOf({ trains: `lora:${rank}` });
      expect([...changed.keys()]).toEqual(names.filter((name) => /layers\.\d\..*_proj/.test(name)));
      for (const [name, change] of changed) {
        const left = remainders(change);
        expect(left[rank]! / left[0]!, `${name}: what is left after ${rank} pivots`).toBeLessThan(1e-4);
        expect(left[rank - 1]! / left[0]!, `${name}: what is left before the last of them`).toBeGreaterThan(1e-3);
      }
    },
  );

  test("the model that is measured is the one that is trained: its own loss is that of the next step", async () => {
    const objective = methodNamed("graddiff").objective!({ retain: "nll", retainWeight: 1.5 });
    const own = (model: Llama) => {
      using _ = device.scope("loss");
      return lossOf(model, objective, { texts: { forget, retain }, references: {} }, { ops }).item();
    };
    const { epochs } = await changesOf({ trains: "lora:4" }, own);
    expectClose(
      epochs.slice(0, -1).map(({ measured }) => measured!),
      epochs.slice(1).map(({ loss }) => loss),
    );
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss - 0.1);
  });

  test("changes no bit with checkpointed blocks, and other bits with another seed", async () => {
    const plain = await changesOf({ trains: "lora:2" });
    const checkpointing = await changesOf({ trains: "lora:2", recipe: { ...recipe, checkpointing: false } });
    expect(checkpointing).toEqual(plain);
    expect((await changesOf({ trains: "lora:2", seed: -3 })).changed).not.toEqual(plain.changed);
  });

  test.each<[string, Objective]>([
    ["a loss of logits", methodNamed("graddiff").objective!({ retain: "kl", retainWeight: 1.5 })],
    ["a loss at a hook point", methodNamed("rmu").objective!({ layer: 2, length: 0.05 })],
  ])("gradients of A and B through %s agree with finite differences of the merged model", async (_loss, objective) => {
    using _ = device.scope("gradients");
    using model = smallLlama(device, 5, { num_hidden_layers: layers });
    const { lowRank, ...part } = trainedPart("lora:2");
    const weights = selectTrainable(model.weights, part).filter(({ name }) => name.includes("layers.1."));
    const starts = weights.map(({ parameter }) => ops.affine(parameter, { factor: 1 }));
    using training = new LowRankTraining(weights, starts, lowRank!, { kept: "f32", seed: 1 });
    const computed = Object.entries(computeReferences(model, objective, { forget, retain }));
    for (const [, reference] of computed) device.own(reference);
    const references = Object.fromEntries(computed.map(([role, reference]) => [role, inF32(reference)]));
    const given = { texts: { forget, retain }, references };
    const move = (parameter: F32, by: readonly number[]) =>
      ops.addInto(parameter, device.tensor(by, parameter.shape) as F32);
    for (const { parameter } of training.trainables) move(parameter, [...normal(parameter.size, 0.1)]);

    using tape = new Tape(ops);
    tape.watch(training.trainables.map(({ parameter }) => parameter));
    const gradients = tape.backward(lossOf(model, objective, given, { ops: training.over(tape.ops) }));

    const merged = async (parameter: F32, by: readonly number[]) => {
      move(parameter, by);
      training.merge();
      const loss = await lossOf(model, objective, given, { ops }).item();
      training.split();
      const back = by.map((value) => -value);
      move(parameter, back);
      return loss;
    };
    expect(training.trainables).toHaveLength(2 * 7);
    for (const { name, parameter } of training.trainables) {
      const gradient = [...(await gradients.get(parameter)!.read())];
      const norm = Math.hypot(...gradient);
      // The slope along the gradient, and along a direction of its own.
      for (const direction of [
        gradient.map((value) => value / norm),
        [...normal(parameter.size, 1 / Math.sqrt(parameter.size))],
      ]) {
        const lossAt = (step: number) =>
          merged(
            parameter,
            direction.map((value) => value * step),
          );
        const slopeOver = async (step: number) => ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        const step = 0.01;
        // Two steps, so that what curves the loss cancels out (Richardson 1911).
        const slope = (4 * (await slopeOver(step / 2)) - (await slopeOver(step))) / 3;
        // Sums in f32 leave about this much of each loss undecided.
        const noise = (Math.abs(await lossAt(0)) * 2 ** -20) / (2 * step);
        const expected = direction.reduce((sum, value, i) => sum + value * gradient[i]!, 0);
        expectClose([slope], [expected], {
          label: name,
          atol: 0.02 * norm + noise,
          rtol: 0.02,
        });
      }
    }
  });
});

test("a part that is given goes before the one that the method names", async () => {
  const given = { method: "rmu", options: { layer: 1, weights: "down_proj" } };
  expect([...(await changesOf(given)).changed.keys()]).toEqual([down(0), down(1)]);
  expect([...(await changesOf({ ...given, trains: "needle:0.3" })).changed.keys()]).toEqual([down(0)]);
  const all = await changesOf({ ...given, trains: "all" });
  expect([...all.changed.keys()]).toContain("model.embed_tokens.weight");
});

test("what is wrong is said before anything is computed", async () => {
  using model = smallLlama(device, 5);
  const given = { method: "graddiff", recipe, forget, retain, seed: 1 };
  const before = device.dispatches;
  for (const [trains, message] of [
    ["needle:4.0", "needle 0 of layer 4: the model has layers 0 to 3, and value vectors 0 to 21 in each"],
    ["needle:0.22", "needle 22 of layer 0: the model has layers 0 to 3, and value vectors 0 to 21 in each"],
    [
      "lora:x",
      '"lora:x" names no part of a model that can be trained; expected all, W_V, needle:LAYER.DIM or lora:RANK',
    ],
    [{ label: "none", accepts: () => false }, "none: none of the weights is to be trained"],
    [{ label: "odd", accepts: () => true, lowRank: { rank: 0, alpha: 1 } }, "trains.lowRank.rank is 0"],
    [
      { label: "norms", accepts: (name: string) => name.includes("norm"), lowRank: { rank: 1, alpha: 1 } },
      "norm.weight has shape [16]; only a matrix has a low-rank update",
    ],
  ] as const)
    await expect(unlearn(model, { ...given, trains }).next()).rejects.toThrow(message);
  expect(device.dispatches).toBe(before);
});

import type { Llama } from "@lethe/llama";
import { ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { type Means, type Method, passOver, rmu, taskVector, tokenNll, unlearn } from "@lethe/unlearn";
import { describe, expect, test } from "vitest";
import { z } from "zod";

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
  const options = { layer: 1, length: 5 };
  /** Residual streams of the retain text after layer 1, of the tokens that count. */
  const streams = async (model: Llama) => {
    using _ = device.scope("streams");
    return [...(await passOver(model, retain).atTokens("resid_post", 1).read())];
  };

  const trained = ({ start, end }: Awaited<ReturnType<typeof run>>) =>
    [...end].filter(([name, values]) => `${values}` !== `${start.get(name)}`).map(([name]) => name);

  test("moves the forget text to its target, and trains all weights before the point", async () => {
    const moved = await run({ method: rmu, options });
    expect(moved.epochs.at(-1)!.losses.at(-1)!).toBeLessThan(moved.epochs[0]!.losses[0]! / 2);
    const before = [...moved.start.keys()].filter((name) => /embed_tokens|layers\.[01]\./.test(name));
    expect(trained(moved)).toEqual(before);
  });

  test("trains W_V of the last layers before the point alone", async () => {
    const names = (layers: readonly number[]) => layers.map((layer) => `model.layers.${layer}.mlp.down_proj.weight`);
    const weights = "down_proj";
    expect(trained(await run({ method: rmu, options: { ...options, weights } }))).toEqual(names([0, 1]));
    const { accepts } = rmu.trains!({ ...rmu.options.parse({}), layer: 11, weights });
    const all = names([...Array(13).keys()]);
    expect(all.filter(accepts)).toEqual(names([9, 10, 11]));
  });

  test("holds the retain text where the reference model has it", async () => {
    using fresh = smallLlama(device, 5, { num_hidden_layers: 3 });
    const before = await streams(fresh);
    const drift = async (retainWeight: number) => {
      const { measured } = await run({ method: rmu, options: { ...options, retainWeight } }, streams);
      return measured!.reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0);
    };
    expect(await drift(10)).toBeLessThan((await drift(0)) / 2);
  });

  test("sees the positions that count, in their order", async () => {
    using model = smallLlama(device, 5, { num_hidden_layers: 3 });
    using _ = device.scope("test");
    const pass = passOver(model, retain);
    const [whole, tokens] = [pass.at("resid_post", 1), pass.atTokens("resid_post", 1)];
    const [, columns, width] = whole.shape as [number, number, number];
    const [all, counted, sequences] = [whole.read(), tokens.read(), pass.sequences.read()];
    const rows = retain.flatMap((text, b) => text.slice(1).map((_, t) => b * columns + t));
    const values = await all;
    expect([...(await counted)]).toEqual(rows.flatMap((r) => [...values.slice(r * width, (r + 1) * width)]));
    expect([...(await sequences)]).toEqual(rows.map((row) => Math.floor(row / columns)));
    expect(() => pass.atTokens("pattern", 1)).toThrow(/atTokens: pattern has shape .*; expected \[4,/);
  });

  test("gives the same bits with checkpointed blocks", async () => {
    const checkpointed = await run({ method: rmu, options }, undefined, { checkpointing: true });
    expect(checkpointed.end).toEqual((await run({ method: rmu, options })).end);
  });

  test("says which layers there are", async () => {
    await expect(run({ method: rmu })).rejects.toThrow(/layer 7 .* layers 0 to 2/);
  });
});

describe("a method that edits weights", () => {
  test("edits them once, after the last epoch", async () => {
    const [edited, tuned] = [
      await run({ method: taskVector, options: { scale: 0.5 } }),
      await run({ objective: taskVector.objective!({ scale: 0 }) }),
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

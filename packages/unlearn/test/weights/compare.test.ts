import { readFileSync } from "node:fs";
import { loadModel, streamModel } from "@lethe/auto";
import { initLlama, type Llama } from "@lethe/llama";
import { castInto, type F32 } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import {
  compareWeights,
  placeOfWeight,
  relativeChange,
  relativeSpectralChange,
  squaresTogether,
  stableRank,
  type WeightComparison,
  weightCosine,
} from "../../src/index.ts";

const device = await testDevice();

interface Golden {
  readonly name: string;
  readonly shape: [number, number];
  readonly values: number[];
  readonly squares: number;
  readonly spectral: number;
  readonly stableRank: number;
}
const { cases } = JSON.parse(readFileSync(new URL("golden/norms.json", import.meta.url), "utf8")) as {
  cases: Golden[];
};

const UP = "model.layers.0.mlp.up_proj.weight";

/** A model of one layer whose up projection has a shape, and its copy. */
function pair([rows, columns]: readonly [number, number]): { vanilla: Llama; unlearned: Llama } & Disposable {
  const config = {
    vocab_size: 7,
    hidden_size: columns,
    intermediate_size: rows,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    head_dim: 4,
    eos_token_id: 1,
  };
  const [vanilla, unlearned] = [initLlama(device, config, 1), initLlama(device, config, 1)];
  return {
    vanilla,
    unlearned,
    [Symbol.dispose]() {
      vanilla.dispose();
      unlearned.dispose();
    },
  };
}

/** Gives a weight other numbers. */
function set(model: Llama, name: string, values: ArrayLike<number>): void {
  const weight = model.weights.get(name)!;
  castInto(weight, device.tensor(Float32Array.from(values), weight.shape));
}

async function comparisonOf(models: { vanilla: Llama; unlearned: Llama }, name: string): Promise<WeightComparison> {
  const found = (await compareWeights(models.vanilla, models.unlearned)).find((weight) => weight.name === name);
  return found!;
}

describe("compareWeights", () => {
  test.each(cases)("has numpy's norms of a $name matrix, as a weight and as a change", async (golden) => {
    using models = pair(golden.shape);
    const zeros = golden.values.map(() => 0);
    set(models.vanilla, UP, zeros);
    set(models.unlearned, UP, golden.values);
    const changed = await comparisonOf(models, UP);
    expect(changed).toMatchObject({ shape: golden.shape, vanilla: 0 });
    const measured = [changed.unlearned, changed.change, changed.spectral!.change, stableRank(changed)!];
    const { squares, spectral } = golden;
    expectClose(measured, [squares, squares, spectral, golden.stableRank], { rtol: 1e-5, atol: 0 });
    expect([weightCosine(changed), relativeChange(changed), relativeSpectralChange(changed)]).toEqual([
      null,
      null,
      null,
    ]);

    set(models.vanilla, UP, golden.values);
    const same = await comparisonOf(models, UP);
    expect(same).toMatchObject({ change: 0, spectral: { change: 0 } });
    expectClose([same.vanilla, same.spectral!.vanilla], [squares, spectral], { rtol: 1e-5, atol: 0 });
    expect([weightCosine(same), relativeChange(same), relativeSpectralChange(same), stableRank(same)]).toEqual([
      1,
      0,
      0,
      null,
    ]);
  });

  test("finds a change of one direction, a scaled weight and a turned one", async () => {
    using models = pair([37, 21]);
    const [w, left, right] = [normal(37 * 21), normal(37), normal(21)];
    set(models.vanilla, UP, w);
    set(
      models.unlearned,
      UP,
      w.map((value, i) => value + 1e-3 * left[Math.floor(i / 21)]! * right[i % 21]!),
    );
    expect(stableRank(await comparisonOf(models, UP))).toBeCloseTo(1, 5);

    set(
      models.unlearned,
      UP,
      w.map((value) => 1.5 * value),
    );
    const scaled = await comparisonOf(models, UP);
    expectClose([weightCosine(scaled)!, relativeChange(scaled)!, relativeSpectralChange(scaled)!], [1, 0.5, 0.5], {
      rtol: 1e-6,
      atol: 0,
    });

    const noise = normal(37 * 21, 0.01);
    set(
      models.unlearned,
      UP,
      w.map((value, i) => value + noise[i]!),
    );
    const before = w.map(Math.fround);
    const after = w.map((value, i) => Math.fround(value + noise[i]!));
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const expected = 1 - dot(before, after) / Math.sqrt(dot(before, before) * dot(after, after));
    // The distance from 1, about 5e-5, has four digits.
    expectClose([1 - weightCosine(await comparisonOf(models, UP))!], [expected], { rtol: 1e-4, atol: 0 });
  });

  test("takes a large tall matrix in pieces, and packed weights beside f32 ones", async () => {
    const config = {
      vocab_size: 70_000,
      hidden_size: 64,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      tie_word_embeddings: true,
      eos_token_id: 1,
    };
    using vanilla = initLlama(device, config, 1);
    using unlearned = initLlama(device, config, 1);
    const embeddings = "model.embed_tokens.weight";
    const noise = normal(70_000, 0.001).map((value, i) => (i % 7 === 0 ? value : 0));
    const before = await (vanilla.weights.get(embeddings) as F32).read();
    set(
      unlearned,
      embeddings,
      before.map((value, i) => value + (i % 64 === 5 ? noise[(i - 5) / 64]! : 0)),
    );
    const compared = await compareWeights(vanilla, unlearned);
    expect(compared.map(({ name }) => placeOfWeight(name).group)).not.toContain("unembedding");
    const { change, spectral } = compared.find(({ name }) => name === embeddings)!;
    // One column changed, so that both norms are its length.
    const squares = noise.reduce((sum, value) => sum + value ** 2, 0);
    expectClose([change, spectral!.change ** 2], [squares, squares], { rtol: 1e-4, atol: 0 });
  });

  test("compares a bf16 model with its f32 copy, and finds no change before training", async () => {
    const directory = new URL("../../../../parity/golden/llama-mha-untied-bf16", import.meta.url).pathname;
    using vanilla = await loadModel(device, directory);
    using copy = vanilla.copyInF32();
    expect([...vanilla.weights.values()].some(({ dtype }) => dtype === "bf16")).toBe(true);
    const before = device.memory().bytesInUse;
    const compared = await compareWeights(vanilla, copy);
    expect(device.memory().bytesInUse).toBe(before);
    expect(compared.map(({ name }) => name)).toEqual([...vanilla.weights.keys()]);
    for (const weight of compared) {
      expect(weight.vanilla).toBe(weight.unlearned);
      expect(weight.change).toBe(0);
    }
    // The same numbers again, also where the vanilla model's norms are known.
    const norms = new Map<string, number>();
    for (let time = 0; time < 2; time++) expect(await compareWeights(vanilla, copy, { norms })).toEqual(compared);
    expect(norms.size).toBe(compared.filter(({ spectral }) => spectral).length);
    // And where its weights are read one by one.
    const streamed = await streamModel(device, directory);
    expect(await compareWeights(streamed, copy)).toEqual(compared);
    expect(device.memory().bytesInUse).toBe(before);
    await streamed.close();
  });

  test("refuses models that do not belong together, and weights that are not finite", async () => {
    using vanilla = smallLlama(device, 1);
    using deeper = smallLlama(device, 1, { num_hidden_layers: 5 });
    using wider = smallLlama(device, 1, { vocab_size: 54 });
    using broken = smallLlama(device, 1);
    set(broken, UP, normal(16 * 22).fill(Number.NaN, 3, 4));
    await expect(compareWeights(vanilla, deeper)).rejects.toThrow(/has no weight "model.layers.4/);
    await expect(compareWeights(deeper, vanilla)).rejects.toThrow(/has no weight "model.layers.4/);
    await expect(compareWeights(vanilla, wider)).rejects.toThrow(
      "model.embed_tokens.weight is [53,16] in the vanilla model and [54,16] in the unlearned one",
    );
    await expect(compareWeights(vanilla, broken)).rejects.toThrow(`${UP} holds a number that is not finite`);
  });

  test("stops when it is told to", async () => {
    using vanilla = smallLlama(device, 1);
    const controller = new AbortController();
    const stop = new Error("enough");
    const progress = (share: number) => share > 0.5 && controller.abort(stop);
    await expect(compareWeights(vanilla, vanilla, { progress, signal: controller.signal })).rejects.toBe(stop);
  });
});

test("a weight's place is read from its name, and weights are put together by their sums", () => {
  expect(placeOfWeight("model.embed_tokens.weight")).toEqual({ group: "embedding", layer: null });
  expect(placeOfWeight("model.layers.11.self_attn.q_norm.weight")).toEqual({ group: "norms", layer: 11 });
  expect(placeOfWeight("model.layers.0.mlp.down_proj.bias")).toEqual({ group: "biases", layer: 0 });
  expect(placeOfWeight("model.norm.weight")).toEqual({ group: "norms", layer: null });
  expect(placeOfWeight("lm_head.weight")).toEqual({ group: "unembedding", layer: null });
  expect(() => placeOfWeight("model.rotary")).toThrow('"model.rotary" is not a weight\'s name');
  const together = squaresTogether([
    { vanilla: 9, unlearned: 4, change: 1 },
    { vanilla: 16, unlearned: 5, change: 0 },
  ]);
  expect(together).toEqual({ vanilla: 25, unlearned: 9, change: 1 });
  expect(relativeChange(together)).toBeCloseTo(0.2, 12);
});

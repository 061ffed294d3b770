import { batchOf } from "@lethe/decoder";
import { Captures, HookError, Hooks, sites } from "@lethe/hooks";
import { ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initOlmo, initOlmo2, type Olmo, type Olmo2 } from "../src/index.ts";

const device = await testDevice();
const sizes = {
  vocab_size: 67,
  hidden_size: 32,
  intermediate_size: 44,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
// With 24 rows or fewer, a block without hooks may be computed in fewer kernels, which changes last bits.
const prompts = [
  [1, 5, 9, 13, 21, 34, 8, 2, 61, 17, 30, 4, 4, 50],
  [1, 44, 7],
];

describe.each(["olmo", "olmo2"] as const)("%s", (family) => {
  let model: Olmo | Olmo2;
  beforeAll(() => {
    model = family === "olmo" ? initOlmo(device, { ...sizes, clip_qkv: 0.1 }, 3) : initOlmo2(device, sizes, 3);
    // The first pass makes the rotary tables, before a test counts bytes.
    using _scope = device.scope("warm up");
    model.forward(batchOf(device, prompts));
  });
  afterAll(() => model.dispose());
  const logitsWith = (hooks?: Hooks) => model.forward(batchOf(device, prompts), hooks ? { hooks } : {}).read();

  test("capturing every point but those on request changes no bit, and each has its documented shape", async () => {
    using seen = new Captures();
    const logits = await logitsWith(new Hooks().capture(({ site }) => !sites[site].onRequest, seen));
    expect(logits).toEqual(await logitsWith());
    const dims: Record<string, number> = { B: 2, T: 14, d: 32, H: 4, G: 2, D: 8, n: 44, V: 67 };
    for (const { site, name } of seen.points()) {
      const letters = /^\[([^\]]*)\]/.exec(sites[site].holds)![1]!.split(", ");
      expect(seen.get(name).shape, name).toEqual(letters.map((letter) => dims[letter]));
    }
    expect(seen.points()).toHaveLength(model.hookPoints().filter(({ site }) => !sites[site].onRequest).length);
  });

  test("every point has its documented shape, and computing those on request by themselves gives the same logits", async () => {
    using seen = new Captures();
    expectClose(await logitsWith(new Hooks().capture("*", seen)), await logitsWith());
    const dims: Record<string, number> = { B: 2, T: 14, S: 14, d: 32, H: 4, G: 2, D: 8, n: 44, V: 67, 1: 1 };
    for (const { site, name } of seen.points()) {
      const letters = /^\[([^\]]*)\]/.exec(sites[site].holds)![1]!.split(", ");
      expect(seen.get(name).shape, name).toEqual(letters.map((letter) => dims[letter]));
    }
    expect(seen.points()).toHaveLength(model.hookPoints().length);
    const output = family === "olmo2" ? "A_before_norm" : "A";
    for (const layer of [0, 1, 2]) {
      const total = ops.sum(seen.get("result", layer), { axis: 2 });
      expectClose(await total.read(), await seen.get(output, layer).read());
    }
  });

  test("an MLP without coefficients, without value vectors and without output are the same", async () => {
    const zero = [
      new Hooks().scale("m", 0, { layers: [1] }),
      new Hooks().scale("W_V", 0, { layers: [1] }),
      new Hooks().scale("M.1", 0),
    ];
    const [first, ...rest] = await Promise.all(zero.map(logitsWith));
    expect(first).not.toEqual(await logitsWith());
    for (const logits of rest) expect(logits).toEqual(first);
  });

  test("the residual stream after a block is the one before it, plus A, plus M", async () => {
    using seen = new Captures();
    await logitsWith(new Hooks().capture((point) => point.layer === 1, seen));
    const at = (site: "resid_pre" | "A" | "M" | "resid_post") => seen.get(site, 1);
    const sum = ops.add(ops.add(at("resid_pre"), at("A")), at("M"));
    expect(await sum.read()).toEqual(await at("resid_post").read());
  });

  test("m and W_V restored from another model change the logits, each in its own way", async () => {
    using seen = new Captures();
    using other = family === "olmo" ? initOlmo(device, sizes, 4) : initOlmo2(device, sizes, 4);
    other.forward(batchOf(device, prompts), { hooks: new Hooks().capture("m", seen) });
    const all = [undefined, new Hooks().restore("m", [0, 2], seen), new Hooks().restore("W_V", [0, 2], other)];
    const logits = await Promise.all(all.map(logitsWith));
    expect(new Set(logits.map(String)).size).toBe(3);
  });
});

test("OLMo-2's A and M are the normalised values of their points before the norm", async () => {
  using model = initOlmo2(device, sizes, 5);
  using seen = new Captures();
  model.forward(batchOf(device, prompts), { hooks: new Hooks().capture(() => true, seen) });
  for (const site of ["A", "M"] as const) {
    const normalized = ops.rmsNorm(seen.get(`${site}_before_norm`, 1), null, { eps: 1e-5 });
    expectClose(await normalized.read(), await seen.get(site, 1).read(), { atol: 1e-5, rtol: 1e-5 });
  }
});

test("OLMo-1's queries, keys and values are clipped", async () => {
  using model = initOlmo(device, { ...sizes, clip_qkv: 0.05 }, 5);
  using seen = new Captures();
  const hooks = new Hooks().capture(({ site }) => ["q", "k", "v"].includes(site), seen);
  model.forward(batchOf(device, prompts), { hooks });
  for (const { name } of seen.points()) {
    const values = await seen.get(name).read();
    expect(Math.max(...values), name).toBe(Math.fround(0.05));
    expect(Math.min(...values), name).toBe(-Math.fround(0.05));
  }
});

test("a hook at a point that the family does not have is an error", () => {
  using one = initOlmo(device, sizes, 5);
  using two = initOlmo2(device, sizes, 5);
  using seen = new Captures();
  using _scope = device.scope("test");
  const batch = batchOf(device, prompts);
  const capture = (site: string) => ({ hooks: new Hooks().capture(site, seen) });
  expect(() => one.forward(batch, capture("A_before_norm"))).toThrow(HookError);
  expect(() => two.forward(batch, capture("ln1.2"))).toThrow("this run does not come to the hook point ln1.2");
});

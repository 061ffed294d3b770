import { batchOf } from "@lethe/decoder";
import { Hooks, type TensorSource } from "@lethe/hooks";
import { initOlmo2 } from "@lethe/olmo";
import { type F32, ops, sum } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { warmLlama } from "@lethe/testing/llama";
import { afterAll, describe, expect, test } from "vitest";
import { runWithCache } from "../src/index.ts";

const device = await testDevice();
const model = warmLlama(device, 5);
afterAll(() => model.dispose());
const prompts = [
  [3, 9, 27, 40],
  [7, 22],
];

describe("a cached run", () => {
  test("keeps every activation but the heads' results, and the logits for as long as the cache lives", async () => {
    const { logits, cache } = await runWithCache(model, prompts);
    const kept = cache.points().map(({ site }) => site);
    expect(kept).toContain("pattern");
    expect(kept).not.toContain("result");
    expect(kept).not.toContain("W_V");
    expect(cache.points()).toHaveLength(4 * 20 + 4);
    const plain = await model.forward(batchOf(device, prompts)).read();
    expectClose(await logits.read(), plain);
    cache.dispose();
    expect(logits.released).toBe(true);
  });

  test("has the bits of a plain run where it keeps nothing that is computed on request", async () => {
    const { logits, cache } = await runWithCache(model, prompts, { points: "resid_*" });
    expect(await logits.read()).toEqual(await model.forward(batchOf(device, prompts)).read());
    expect(cache.points()).toHaveLength(4 * 3);
    cache.dispose();
  });

  test("keeps what is there after interventions, at some layers, positions and heads", async () => {
    const hooks = new Hooks().scale("z", 0, { layers: [1], heads: [2] });
    const where = { layers: [1, 2], positions: [-1], heads: [2, 0] };
    const { cache } = await runWithCache(model, prompts, { points: "z", hooks, ...where });
    expect(cache.points().map(({ name }) => name)).toEqual(["z.1", "z.2"]);
    expect(cache.get("z", 1).shape).toEqual([2, 1, 2, 4]);
    expect((await cache.select("z.1", { heads: [2] }).read()).every((value) => value === 0)).toBe(true);
    expect((await cache.select("z.1", { heads: [0] }).read()).every((value) => value !== 0)).toBe(true);
    expect(() => cache.stackActivation("z", { positions: [0] })).toThrow("asked for at position 0");
    cache.dispose();
  });

  test("one prompt of a padded batch has the values that it has alone", async () => {
    const { cache: both } = await runWithCache(model, prompts);
    const { cache: alone } = await runWithCache(model, prompts[1]!);
    for (const site of ["resid_post", "attn_scores", "ln2_scale"] as const) {
      const part = both.select(site, { layer: 3, sequences: [1], positions: [2, 3] });
      const values = [...(await part.read())];
      // Keys in the padding come first.
      const own = site === "attn_scores" ? values.filter((_, i) => i % 4 >= 2) : values;
      expectClose(own, await alone.get(site, 3).read());
    }
    both.dispose();
    alone.dispose();
  });

  test("gives a token of each sequence, and layers in the order asked for", async () => {
    const { logits, cache } = await runWithCache(model, prompts);
    const stack = cache.stackActivation("resid_post", { layers: [3, 0], positions: [-1], sequences: [1] });
    expect(stack.shape).toEqual([2, 1, 1, 16]);
    expect([...(await stack.read())].slice(0, 16)).toEqual([
      ...(await cache.select("resid_post.3", { positions: [-1], sequences: [1] }).read()),
    ]);
    const attrs = cache.logitAttrs(cache.decomposeResid({ positions: [-1] }), [11, 50]);
    const [V, values] = [53, await logits.read()];
    expectClose(await sum(attrs, { axis: 0 }).read(), [values[3 * V + 11]!, values[7 * V + 50]!]);
    expect(() => cache.logitAttrs(cache.decomposeResid(), [1, 2, 3])).toThrow("one for each of 2 sequences");
    expect(() => cache.logitAttrs(cache.decomposeResid(), 53)).toThrow("the tokens are [53,53]");
    cache.dispose();
  });

  test("divides components by the scale of one norm, and not of two", async () => {
    const { cache } = await runWithCache(model, prompts);
    const stack = cache.decomposeResid({ layer: 2, mlpInput: true, applyLn: true });
    expect([stack.labels.length, stack.dividedBy]).toEqual([6, "ln2_scale.2"]);
    // What the MLP of layer 2 reads, before the norm's weight.
    expectClose(await sum(stack.components, { axis: 0 }).read(), await cache.get("ln2", 2).read());
    expect(cache.applyLnToStack(stack, { layer: 2, mlpInput: true })).toBe(stack);
    expect(() => cache.logitAttrs(stack, 1)).toThrow("divided by ln2_scale.2 already, and ln_final_scale reads them");
    expect(() => cache.decomposeResid({ mlpInput: true })).toThrow("no MLP reads the stream of the final norm");
    expect(() => cache.stackHeadResults({ layer: 0 })).toThrow("no head comes before the first layer");
    const heads = cache.stackHeadResults({ layer: 1, mlpInput: true, inclRemainder: true });
    expect(heads.labels).toEqual(["L0H0", "L0H1", "L0H2", "L0H3", "L1H0", "L1H1", "L1H2", "L1H3", "remainder"]);
    expectClose(await sum(heads.components, { axis: 0 }).read(), await cache.get("resid_mid", 1).read());
    cache.dispose();
  });

  test("is a source of what a hook restores, at the positions that it holds", async () => {
    const other = [
      [3, 9, 30, 41],
      [7, 23],
    ];
    const { cache: whole } = await runWithCache(model, other);
    const { cache: last } = await runWithCache(model, other, { points: "m", positions: [-1] });
    const run = async (source: TensorSource, positions: number[]) => {
      const hooks = new Hooks().restore("m", [3], source, { positions });
      return await model.forward(batchOf(device, prompts), { hooks }).read();
    };
    // Which points a run captures decides what it computes in one kernel, and so how it rounds.
    expectClose(await run(last, [-1]), await run(whole, [3]));
    expect(await run(last, [-1])).not.toEqual(await model.forward(batchOf(device, prompts)).read());
    await expect(run(last, [2])).rejects.toThrow(
      "m.3 was asked for at position 2, and the run of llama holds it at position 3",
    );
    whole.dispose();
    last.dispose();
  });

  test("what was not kept is an error that says so", async () => {
    const { cache } = await runWithCache(model, prompts, { points: "resid_pre" });
    expect(() => cache.accumulatedResid()).toThrow(
      "resid_post.3 was not captured; the captured points are resid_pre.0",
    );
    expect(cache.accumulatedResid({ layer: 2 }).labels).toEqual(["0_pre", "1_pre", "2_pre"]);
    expect(() => cache.applyLnToStack(cache.accumulatedResid({ layer: 2 }))).toThrow("ln_final_scale was not captured");
    expect(() => cache.decomposeResid({ layer: 5 })).toThrow("layer 5 reads no residual stream");
    expect(() => cache.stackActivation("z")).toThrow("z of layer 0 was not captured");
    cache.dispose();
    await expect(runWithCache(model, "text")).rejects.toThrow("tokenizer");
    await expect(runWithCache(model, prompts, { points: "resid" })).rejects.toThrow('no hook point "resid"');
  });
});

test("OLMo-2 adds normalised outputs: they are the stream, and its heads have no part of their own", async () => {
  const sizes = {
    vocab_size: 40,
    hidden_size: 16,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 4,
  };
  using other = initOlmo2(device, sizes, 2);
  const { logits, cache } = await runWithCache(other, [4, 8, 15, 16]);
  const { components, labels } = cache.decomposeResid();
  expect(labels).toEqual(["embed", "0_attn_out", "0_mlp_out", "1_attn_out", "1_mlp_out"]);
  expectClose(await sum(components, { axis: 0 }).read(), await cache.get("resid_post", 1).read());
  const attrs = cache.logitAttrs(cache.decomposeResid({ positions: [3] }), 9);
  expectClose(await sum(attrs, { axis: 0 }).read(), [(await logits.read())[3 * 40 + 9]!]);
  expect(() => cache.stackHeadResults()).toThrow("olmo2 normalises the sum of its heads");
  cache.dispose();
});

test("the logit lens on the last stream gives the logits", async () => {
  const { logits, cache } = await runWithCache(model, prompts, { points: "resid_*" });
  const lens = model.unembed(cache.accumulatedResid({ positions: [-1] }).components);
  expect(lens.shape).toEqual([5, 2, 1, 53]);
  expectClose((await lens.read()).slice(-2 * 53), [...(await ops.slice(logits, { axis: 1, start: 3, end: 4 }).read())]);
  expect(() => model.unembed(device.tensor([1, 2], [1, 2]) as F32)).toThrow("resid is f32 [1,2]; expected f32 […, 16]");
  cache.dispose();
});

import { batchOf, stepOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { crossEntropy } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { golden, goldenModel } from "@lethe/testing/golden";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initLlama, type Llama } from "../src/index.ts";

const device = await testDevice();
const { prompts } = await golden("gqa-tied-f32");
let model: Llama;
beforeAll(async () => {
  model = await goldenModel(device, "gqa-tied-f32");
});
afterAll(() => model.dispose());

test("a run from a cached residual stream has the bits of the full run, from every layer", async () => {
  using seen = new Captures();
  const batch = batchOf(device, prompts);
  const whole = await model.forward(batch, { hooks: new Hooks().capture("resid_pre", seen) }).read();
  for (let fromLayer = 0; fromLayer < model.config.num_hidden_layers; fromLayer++) {
    const resid = seen.get("resid_pre", fromLayer);
    expect(await model.forward(batch, { fromLayer, resid }).read()).toEqual(whole);
  }
});

test("runs of a layer each, and one of the unembedding alone, have the bits of the full run", async () => {
  const batch = batchOf(device, prompts);
  const layers = model.config.num_hidden_layers;
  let resid = model.forward(batch, { upTo: 1 });
  for (let layer = 1; layer < layers; layer++)
    resid = model.forward(batch, { fromLayer: layer, resid, upTo: layer + 1 });
  const logits = model.forward(batch, { fromLayer: layers, resid });
  expect(await logits.read()).toEqual(await model.forward(batch).read());
  expect(() => model.forward(batch, { fromLayer: 1, resid, upTo: 1 })).toThrow(
    "upTo is 1, and a pass from layer 1 can stop",
  );
  expect(() => model.forward(batch, { upTo: layers + 1 })).toThrow("upTo is");
  const hooks = new Hooks().scale("logits", 2);
  expect(() => model.forward(batch, { hooks, upTo: 2 })).toThrow("this run does not come to the hook point logits");
});

test("a run up to the residual stream returns it", async () => {
  using seen = new Captures();
  const batch = batchOf(device, prompts);
  model.forward(batch, { hooks: new Hooks().capture("resid_post", seen, { layers: [2] }) });
  const resid = model.forward(batch, { upTo: "resid" });
  expect(resid.shape).toEqual([3, 9, 32]);
  expect(await resid.read()).toEqual(await seen.get("resid_post", 2).read());
});

test("with `rows` only their logits are returned", async () => {
  const batch = batchOf(device, prompts);
  const rows = [batch.row(2, -1), batch.row(0, 3)];
  const all = await model.forward(batch).read();
  const some = model.forward(batch, { rows: device.tensor(rows, [2], "u32") });
  const width = model.config.vocab_size;
  expect(some.shape).toEqual([2, width]);
  const wanted = rows.flatMap((row) => [...all.slice(row * width, (row + 1) * width)]);
  expectClose(await some.read(), wanted);
});

test("a step must follow the columns in its cache", async () => {
  using cache = model.newCache(2, 6);
  model.forward(batchOf(device, [[5, 6, 7], [8]]), { cache });
  const step = stepOf(device, [9, 10], { starts: [0, 2], lengths: [3, 1] });
  const logits = await model.forward(step, { cache }).read();
  const whole = batchOf(device, [
    [5, 6, 7, 9],
    [8, 10],
  ]);
  const rows = device.tensor([whole.row(0, -1), whole.row(1, -1)], [2], "u32");
  expectClose(logits, await model.forward(whole, { rows }).read());

  expect(() => model.forward(step, { cache })).toThrow(
    "this batch goes on after 3 cached columns, and the cache holds 4",
  );
  expect(() => model.forward(batchOf(device, [[9], [10]]), { cache })).toThrow("goes on after 0 cached columns");
  expect(() => model.forward(step)).toThrow("the cache holds 0");
  using fresh = model.newCache(2, 6);
  const right = batchOf(device, [[5, 6, 7], [8]], { pad: "right" });
  expect(() => model.forward(right, { cache: fresh })).toThrow("sequence 1 ends before the batch does");
});

test("a step of several tokens, padded on the right, continues sequences as a whole pass does", async () => {
  using cache = model.newCache(3, 16);
  const beginnings = [[5, 6, 7, 11], [8], [12, 3]];
  model.forward(batchOf(device, beginnings), { cache });
  // The first sequence goes on from its third token, the second again from nothing.
  using moved = model.newCache(3, 16);
  const kept = [3, 0, 2];
  const from = beginnings.map(({ length }, b) => ({ from: b, start: 4 - length, length: kept[b]! }));
  moved.take(cache, from, 4);
  const tokens = [[9, 10, 2, 14, 4, 13], [8, 1, 6], [20]];
  const cached = { starts: kept.map((length) => 4 - length), lengths: kept };
  const step = stepOf(device, tokens, cached);
  const resid = model.forward(step, { cache: moved, upTo: "resid" });
  const logits = await model.forward(step, { resid, fromLayer: model.config.num_hidden_layers }).read();
  const width = model.config.vocab_size;
  for (const [b, own] of tokens.entries()) {
    const whole = await model.forward(batchOf(device, [[...beginnings[b]!.slice(0, kept[b]), ...own]])).read();
    const rows = logits.subarray(step.row(b, 0) * width, (step.row(b, -1) + 1) * width);
    expectClose(rows, whole.subarray(kept[b]! * width));
  }
  expect(() => model.forward(step, { cache: moved, resid, fromLayer: model.config.num_hidden_layers })).toThrow(
    "leave out the cache",
  );
  // The sequences no longer end together.
  const next = { starts: cached.starts, lengths: kept.map((length, b) => length + tokens[b]!.length) };
  expect(() => stepOf(device, [1, 1, 1], next)).toThrow("sequences that end at one column");
});

test("wrapBlock runs every block", async () => {
  const batch = batchOf(device, prompts);
  const plain = await model.forward(batch).read();
  const layers: number[] = [];
  const wrapped = model.forward(batch, {
    wrapBlock: (layer, x, run) => {
      layers.push(layer);
      return run(x);
    },
  });
  expect(await wrapped.read()).toEqual(plain);
  expect(layers).toEqual([0, 1, 2]);
});

test("two runs have the same bits", async () => {
  const batch = batchOf(device, prompts);
  expect(await model.forward(batch).read()).toEqual(await model.forward(batch).read());
});

test("a pass releases its intermediates: its peak of memory does not depend on the number of layers", async () => {
  const peak = (layers: number) => {
    using deep = initLlama(device, { ...model.config, num_hidden_layers: layers }, 1);
    using batch = batchOf(device, prompts);
    deep.forward(batch).dispose();
    const before = device.memory().bytesInUse;
    device.pool.resetPeak();
    deep.forward(batch).dispose();
    return device.memory().peakBytes - before;
  };
  expect(peak(6)).toBe(peak(2));
});

test("losses are the cross-entropy of the logits, also with rows and where a hook wants the logits or what comes before", async () => {
  const batch = batchOf(device, prompts);
  const count = batch.ids.size;
  const labels = device.tensor(
    Array.from({ length: count }, (_, i) => (i % 4 === 1 ? -100 : i)),
    batch.ids.shape,
    "i32",
  );
  const hooks = [
    undefined,
    new Hooks().scale("logits", 2),
    new Hooks().scale("ln_final", 2),
    new Hooks().scale("m", 2),
  ];
  for (const each of hooks) {
    const options = each ? { hooks: each } : {};
    for (const reduction of ["none", "sequence", "mean"] as const) {
      const expected = crossEntropy(model.forward(batch, options), labels, { reduction });
      const found = model.losses(batch, labels, { ...options, reduction });
      expect(found.shape).toEqual(expected.shape);
      expect(await found.read()).toEqual(await expected.read());
    }
  }
  const rows = device.tensor([batch.row(2, -1), batch.row(0, 3)], [2], "u32");
  const wanted = device.tensor([3, 5], [2], "i32");
  const some = model.losses(batch, wanted, { rows, reduction: "none" });
  expect(await some.read()).toEqual(
    await crossEntropy(model.forward(batch, { rows }), wanted, { reduction: "none" }).read(),
  );
});

import { batchOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectClose } from "../../tensor/test/support/close.ts";
import { testDevice } from "../../tensor/test/support/device.ts";
import type { Llama } from "../src/index.ts";
import { cases, type Golden, golden, goldenModel } from "./support/golden.ts";

const device = await testDevice();
const tolerance = { atol: 1e-4, rtol: 1e-4 };

describe.each(cases)("%s", (name) => {
  let model: Llama;
  let expected: Golden;
  beforeAll(async () => {
    model = await goldenModel(device, name);
    expected = await golden(name);
  });
  afterAll(() => model.dispose());

  test("keeps every weight in the dtype it has on disk", () => {
    const dtypes = new Set([...model.weights.values()].map(({ dtype }) => dtype));
    expect([...dtypes]).toEqual([name.endsWith("bf16") ? "bf16" : "f32"]);
  });

  test("logits and every captured m, A, M, resid_* are those of transformers", async () => {
    using seen = new Captures();
    const wanted = new Set(expected.tensors.keys());
    const hooks = new Hooks().capture((point) => wanted.has(point.name), seen);
    const logits = model.forward(batchOf(device, [expected.prompts[0]!]), { hooks });
    expectClose(await logits.read(), expected.tensors.get("logits")!, { ...tolerance, label: "logits" });
    expect(new Set(seen.points().map((point) => point.name))).toEqual(wanted);
    for (const [point, values] of expected.tensors)
      expectClose(await seen.get(point).read(), values, { ...tolerance, label: point });
  });

  test("weights widened to f32 give the same logits", async () => {
    using wide = await goldenModel(device, name, { dtype: "f32" });
    expect([...wide.weights.values()].every(({ dtype }) => dtype === "f32")).toBe(true);
    const logits = wide.forward(batchOf(device, [expected.prompts[0]!]));
    expectClose(await logits.read(), expected.tensors.get("logits")!, { ...tolerance, label: "logits" });
  });

  test.each(["left", "right"] as const)("a batch padded on the %s gives the logits of single runs", async (pad) => {
    const batch = batchOf(device, expected.prompts, { pad, padId: 60 });
    const logits = model.forward(batch);
    const together = await logits.read();
    const width = model.config.vocab_size;
    for (const [b, prompt] of expected.prompts.entries()) {
      const alone = await model.forward(batchOf(device, [prompt])).read();
      const from = batch.row(b, 0) * width;
      expectClose(together.slice(from, from + alone.length), alone, { ...tolerance, label: `prompt ${b}` });
    }
  });

  test("asked for some rows, it gives their logits alone", async () => {
    const batch = batchOf(device, expected.prompts);
    const rows = [batch.row(2, -1), batch.row(0, 3)];
    const all = await model.forward(batch).read();
    const some = model.forward(batch, { rows: device.tensor(rows, [2], "u32") });
    expect(some.shape).toEqual([2, model.config.vocab_size]);
    const width = model.config.vocab_size;
    const wanted = rows.flatMap((row) => [...all.slice(row * width, (row + 1) * width)]);
    expectClose(await some.read(), wanted, tolerance);
  });

  test("greedy tokens are those of transformers, with a cache, without one, and in a padded batch", async () => {
    const generations = await model.generate(expected.prompts, { maxNewTokens: 12 });
    const together = generations.map(({ tokens, stop }) => (stop === null ? tokens : [...tokens, stop]));
    expect(together).toEqual(expected.greedy);
    const [, prompt] = expected.prompts;
    expect((await model.generate([prompt!], { maxNewTokens: 12 }))[0]).toEqual(generations[1]);
    expect(await greedyWithoutCache(prompt!, 12)).toEqual(expected.greedy[1]);
  });

  async function greedyWithoutCache(prompt: readonly number[], count: number): Promise<number[]> {
    const tokens = [...prompt];
    for (let i = 0; i < count; i++) {
      using batch = batchOf(device, [tokens]);
      using logits = model.forward(batch);
      const row = (await logits.read()).slice(-model.config.vocab_size);
      tokens.push(row.indexOf(Math.max(...row)));
    }
    return tokens.slice(prompt.length);
  }
});

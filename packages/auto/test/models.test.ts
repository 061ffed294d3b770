import { batchOf, ConfigError } from "@lethe/decoder";
import { testDevice } from "@lethe/testing/device";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import { initModel, loadModel, modelTypes } from "../src/index.ts";

const device = await testDevice();
const sizes = {
  vocab_size: 12,
  hidden_size: 8,
  intermediate_size: 10,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};

test.each(["llama", "olmo", "olmo2"])("a fresh %s gives logits", async (type) => {
  using model = initModel(device, { ...sizes, model_type: type }, 1);
  expect([model.config.model_type, modelTypes.includes(type)]).toEqual([type, true]);
  using batch = batchOf(device, [[1, 2, 3]]);
  using logits = model.forward(batch);
  expect(logits.shape).toEqual([1, 3, 12]);
  expect((await logits.read()).every(Number.isFinite)).toBe(true);
});

test("an unsupported model type is an error that says what Lethe lacks", async () => {
  const load = (model_type?: unknown, more: object = {}) =>
    loadModel(device, memoryFolder({ "config.json": { ...sizes, model_type, ...more } })).then(
      () => expect.fail("no error"),
      (error) => {
        expect(error).toBeInstanceOf(ConfigError);
        return error.message.replace(/^.*model_type is |\. Lethe loads "llama", "olmo", "hf_olmo", "olmo2"\.$/g, "");
      },
    );
  expect(await load("mistral")).toMatchInlineSnapshot(
    `""mistral", which is not supported: "llama" comes nearest; mistral has attention over a sliding window"`,
  );
  expect(await load("mistral", { sliding_window: null })).toMatchInlineSnapshot(
    `""mistral", which is not supported: its sliding_window is null, so it computes what a LLaMA does: in a copy of its config.json, write "llama" as model_type and leave architectures out"`,
  );
  expect(await load("ollmo")).toMatchInlineSnapshot(`""ollmo", which is not supported: is it "olmo"?"`);
  expect(await load("smollm3")).toMatchInlineSnapshot(
    `""smollm3", which is not supported: "llama" comes nearest; smollm3 has layers without rotary positions"`,
  );
  expect(await load("falcon")).toMatchInlineSnapshot(
    `""falcon", which is not supported: no supported model is like it"`,
  );
  expect(await load()).toMatchInlineSnapshot(`"missing"`);
  expect(await load(["llama"])).toMatchInlineSnapshot(`"["llama"]"`);
  for (const name of ["toString", "constructor", "__proto__"])
    expect(await load(name)).toContain("no supported model is like it");
  expect((await load("x".repeat(1e6))).length).toBeLessThan(300);
});

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

test("an unsupported model type is an error that names the nearest supported one", async () => {
  const load = (model_type?: string) =>
    loadModel(device, memoryFolder({ "config.json": { ...sizes, model_type } })).then(
      () => expect.fail("no error"),
      (error) => {
        expect(error).toBeInstanceOf(ConfigError);
        return error.message;
      },
    );
  expect(await load("mistral")).toMatchInlineSnapshot(
    `"models/x: config.json: model_type is "mistral", which is not supported: "llama" comes nearest; mistral has attention over a sliding window. Lethe loads "llama", "olmo", "hf_olmo", "olmo2"."`,
  );
  expect(await load("ollmo")).toMatchInlineSnapshot(
    `"models/x: config.json: model_type is "ollmo", which is not supported: "olmo" comes nearest by name. Lethe loads "llama", "olmo", "hf_olmo", "olmo2"."`,
  );
  expect(await load()).toMatchInlineSnapshot(
    `"models/x: config.json: model_type is missing. Lethe loads "llama", "olmo", "hf_olmo", "olmo2"."`,
  );
});

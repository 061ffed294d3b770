import { join } from "node:path";
import { sketchDevice } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { initModel, loadModel, supportedFamily } from "../src/index.ts";

const device = await testDevice();
const tiny = join(import.meta.dirname, "../../../models/tiny-olmo");

test("a blank model has the weights of a loaded one, in the same bytes, and its own dtypes", async () => {
  const sketch = sketchDevice(device.capabilities);
  const before = device.memory().bytesInUse;
  using model = await loadModel(device, tiny);
  const loaded = device.memory().bytesInUse - before;
  using blank = model.blank(sketch);
  expect(sketch.memory().bytesInUse).toBe(loaded);
  const described = (of: typeof model) => Array.from(of.weights, ([name, { shape, dtype }]) => [name, shape, dtype]);
  expect(described(blank)).toEqual(described(model));
  using half = model.blank(sketch, () => "bf16");
  expect(new Set(Array.from(half.weights.values(), ({ dtype }) => dtype))).toEqual(new Set(["bf16"]));
  using copy = blank.copyInF32();
  expect(described(copy)).toEqual(described(model));
});

test("a family makes a blank model of a config alone, with a dtype for each weight", () => {
  const sketch = sketchDevice();
  const raw = {
    ...{ model_type: "llama", vocab_size: 53, hidden_size: 16, intermediate_size: 24 },
    ...{ num_hidden_layers: 2, num_attention_heads: 4 },
  };
  const family = supportedFamily(raw, "config");
  const config = family.config(raw);
  const dtype = (name: string) => (name.includes("norm") ? "f32" : "f16");
  using blank = family.blank(sketch, config, dtype, { label: "a shape" });
  expect(blank.label).toBe("a shape");
  expect(Array.from(blank.weights, ([name, weight]) => [name, weight.shape, weight.dtype])).toEqual(
    Array.from(family.shapes(config), ([name, shape]) => [name, shape, dtype(name)]),
  );
  using fresh = initModel(device, raw, 3);
  expect([...blank.weights.keys()]).toEqual([...fresh.weights.keys()]);
});

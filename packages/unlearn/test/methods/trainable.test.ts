import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { expect, test } from "vitest";
import { needle, selectTrainable, valueVectors } from "../../src/index.ts";

const device = await testDevice();

test("the filters of the released code: all value vectors, or one of them", () => {
  using model = smallLlama(device, 1, { num_hidden_layers: 12 });
  expect(selectTrainable(model.weights, valueVectors).map(({ name }) => name)).toEqual(
    Array.from({ length: 12 }, (_, layer) => `model.layers.${layer}.mlp.down_proj.weight`),
  );
  // Layer 1, and not layers 10 and 11, whose names begin like it.
  expect(selectTrainable(model.weights, needle({ layer: 1, dim: 21 }))).toMatchObject([
    { name: "model.layers.1.mlp.down_proj.weight", column: 21 },
  ]);
  expect(() => selectTrainable(model.weights, needle({ layer: 12, dim: 0 }))).toThrow(
    "needle 0 of layer 12: none of the weights is to be trained",
  );
  expect(() => selectTrainable(model.weights, needle({ layer: 1, dim: 22 }))).toThrow(
    /has columns 0 to 21, and column 22/,
  );
});

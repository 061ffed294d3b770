import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { expect, test } from "vitest";
import { selectWeights, trainedPart } from "../../src/index.ts";

const device = await testDevice();

const namesOf = (part: string) => {
  using model = smallLlama(device, 1, { num_hidden_layers: 12 });
  const { label, accepts } = trainedPart(part);
  return selectWeights(model.weights, { label, accepts }).map(({ name }) => name);
};

test("the parts of the released code: every weight, all value vectors, or one of them", () => {
  using model = smallLlama(device, 1, { num_hidden_layers: 12 });
  expect(namesOf("all")).toEqual([...model.weights.keys()]);
  expect(namesOf("W_V")).toEqual(
    Array.from({ length: 12 }, (_, layer) => `model.layers.${layer}.mlp.down_proj.weight`),
  );
  // Layer 1, and not layers 10 and 11, whose names begin like it.
  expect(namesOf("needle:1.21")).toEqual(["model.layers.1.mlp.down_proj.weight"]);
  expect(trainedPart("needle:1.21").column).toBe(21);
});

test("a low-rank update is one of every projection of every block", () => {
  const blocks = (name: string) => name.includes(".layers.") && !name.includes("norm");
  expect(namesOf("lora:2")).toEqual(namesOf("all").filter(blocks));
  expect(namesOf("lora:2")).toHaveLength(12 * 7);
  expect(trainedPart("lora:2")).toMatchObject({ label: "LoRA of rank 2", lowRank: { rank: 2, alpha: 4 } });
});

test("a needle outside the model names the limits", () => {
  const sizes = { num_hidden_layers: 12, intermediate_size: 22 };
  for (const place of ["12.0", "1.22"])
    expect(() => trainedPart(`needle:${place}`).requireIn!(sizes)).toThrow(
      /needle \d+ of layer \d+: the model has layers 0 to 11, and value vectors 0 to 21 in each/,
    );
  expect(trainedPart("needle:11.21").requireIn!(sizes)).toBeUndefined();
});

test.each([
  "",
  "w_v",
  "needle",
  "needle:1",
  "needle:1.x",
  "needle:01.2",
  "needle:-1.2",
  "lora",
  "lora:0",
  "lora:1.5",
  "ALL",
])("%j is no part, and the error says the forms", (name) => {
  expect(() => trainedPart(name)).toThrow(
    `"${name}" names no part of a model that can be trained; expected all, W_V, needle:LAYER.DIM or lora:RANK`,
  );
});

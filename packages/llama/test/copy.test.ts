import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchOf } from "@lethe/decoder";
import { Hooks } from "@lethe/hooks";
import { castInto, ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { goldenModel } from "@lethe/testing/golden";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test } from "vitest";
import { loadLlama } from "../src/index.ts";

const device = await testDevice();
const prompts = [
  [3, 9, 4, 17],
  [8, 2],
];

test("a copy in f32 of a bf16 model has its numbers, and its own weights", async () => {
  using model = await goldenModel(device, "mha-untied-bf16");
  using copy = model.copyInF32();
  const batch = batchOf(device, prompts);
  const logits = await model.forward(batch).read();
  for (const [name, weight] of model.weights) {
    expect([weight.dtype, copy.weights.get(name)!.dtype]).toEqual(["bf16", "f32"]);
    expect(await copy.weights.get(name)!.read(), name).toEqual(await weight.read());
  }
  expect(await copy.forward(batch).read()).toEqual(logits);

  // What is put into the copy changes the copy alone, until it takes the weights again.
  const down = "model.layers.0.mlp.down_proj.weight";
  const weight = copy.weights.get(down)!;
  castInto(weight, ops.affine(device.tensor(await weight.read(), weight.shape), { factor: 2 }));
  const changed = await copy.forward(batch).read();
  expect(changed).not.toEqual(logits);
  expect(await model.forward(batch).read()).toEqual(logits);
  // The packed value vectors fit the hook point of the f32 model.
  const hooks = new Hooks().restore("W_V", [0], model);
  expect(await copy.forward(batch, { hooks }).read()).toEqual(logits);

  const directory = await mkdtemp(join(tmpdir(), "lethe-copy-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await copy.save(join(directory, "copy"));
  using saved = await loadLlama(device, join(directory, "copy"));
  expect(saved.weights.get(down)!.dtype).toBe("f32");
  expect(await saved.forward(batch).read()).toEqual(changed);
  copy.takeWeights(model);
  expect(await copy.forward(batch).read()).toEqual(logits);
});

test("weights of another model that lacks one are refused", () => {
  using deep = smallLlama(device, 1);
  using shallow = smallLlama(device, 1, { num_hidden_layers: 2 });
  expect(() => deep.takeWeights(shallow)).toThrow(
    'takeWeights: llama has no weight "model.layers.2.input_layernorm.weight"',
  );
});

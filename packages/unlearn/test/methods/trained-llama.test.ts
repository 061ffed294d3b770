import { initLlama, type Llama } from "@lethe/llama";
import { ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import {
  AdamW,
  gradientDifference,
  type LabelledBatch,
  labelledBatch,
  referenceOf,
  selectTrainable,
  type Tape,
  type TrainableFilter,
  train,
  valueVectors,
} from "../../src/index.ts";

const device = await testDevice();

const config = {
  vocab_size: 23,
  hidden_size: 16,
  intermediate_size: 20,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
};

const texts = () => [7, 5].map((length) => Array.from({ length }, () => integer(0, config.vocab_size - 1)));

/** Four steps of Gradient Difference from the same weights; gives the records, and the final weights by name. */
async function unlearn(
  pair: { forget: number[][]; retain: number[][] },
  filter: TrainableFilter | undefined,
  checkpointed: boolean,
) {
  using _ = device.scope("unlearn");
  using model: Llama = initLlama(device, config, 7);
  device.scoped("the model's own rotary table", () => model.forward(labelledBatch(device, pair.forget))).dispose();
  const before = device.memory().bytesInUse;
  const records = [];
  {
    using _inner = device.scope("training");
    const objective = gradientDifference({ retain: "kl", retainWeight: 1 });
    const batches = { forget: labelledBatch(device, pair.forget), retain: labelledBatch(device, pair.retain) };
    const reference = referenceOf(ops, objective, { forward: (batch: LabelledBatch) => model.forward(batch), batches });
    using optimiser = new AdamW(selectTrainable(model.weights, filter), {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      clipNorm: 1,
    });
    const steps = Array.from({ length: 4 }, () => [
      {
        name: "the pair",
        loss: (tape: Tape) =>
          objective.loss(tape.ops, {
            forward: (batch) =>
              model.forward(batch, {
                ops: tape.ops,
                ...(checkpointed && { wrapBlock: (_layer, x, run) => tape.checkpoint(x, run) }),
              }),
            batches,
            reference,
          }),
      },
    ]);
    for await (const record of train(device, { optimiser, schedule: () => 0.01, steps })) records.push(record);
  }
  expect(device.memory().bytesInUse, "bytes in use after training").toBe(before);
  const weights: Record<string, Float32Array> = {};
  for (const [name, weight] of model.weights) weights[name] = await weight.read();
  return { records, weights };
}

test("a LLaMA is trained with or without checkpointed blocks to the same bits, and only where the filter says", async () => {
  const pair = { forget: texts(), retain: texts() };
  const plain = await unlearn(pair, undefined, false);
  expect(plain.records.at(-1)!.loss).toBeLessThan(plain.records[0]!.loss);
  expect(await unlearn(pair, undefined, true)).toEqual(plain);

  using fresh = initLlama(device, config, 7);
  const { weights } = await unlearn(pair, valueVectors, true);
  for (const [name, weight] of fresh.weights) {
    const same = (await weight.read()).every((value, i) => value === weights[name]![i]);
    expect(same, `${name} is as it was`).toBe(!name.endsWith("down_proj.weight"));
  }
});

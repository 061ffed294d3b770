import { batchOf, stepOf } from "@lethe/decoder";
import { type Ops, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { initLlama, type Llama } from "../src/index.ts";

const device = await testDevice();

/** The same operations by another object, which offers none fused. */
const plain: Ops = { ...ops };

const shapes = [
  { hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 4, intermediate_size: 172 },
  { hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 100 },
  { hidden_size: 128, num_attention_heads: 8, num_key_value_heads: 1, intermediate_size: 68, head_dim: 8 },
] as const;

function freshModel(shape: (typeof shapes)[number]): Llama {
  const sizes = { vocab_size: 67, num_hidden_layers: 3, ...shape };
  const model = initLlama(device, sizes, integer(0, 1e6));
  expect(model.modules.blocks.every(({ attention, mlp }) => attention.joint && mlp.joint)).toBe(true);
  return model;
}

const tokens = (length: number) => Array.from({ length }, () => integer(0, 66));

describe.each(shapes)("fused operations give the logits of plain ones: %j", (shape) => {
  test.each([[[1]], [[5]], [[9, 4, 13]], [[2, 1, 2]], [[1, 1, 1, 1, 1, 1, 1, 1]]])(
    "sequences of %j",
    async (lengths) => {
      using model = freshModel(shape);
      using batch = batchOf(device, lengths.map(tokens));
      expectClose(await model.forward(batch).read(), await model.forward(batch, { ops: plain }).read());
    },
  );

  test("with a cache, step by step", async () => {
    using model = freshModel(shape);
    const prompts = [tokens(5), tokens(3)];
    const run = async (ops: Ops) => {
      using cache = model.newCache(2, 16);
      using first = batchOf(device, prompts);
      const logits = [model.forward(first, { ops, cache })];
      for (let step = 0; step < 3; step++) {
        using batch = stepOf(device, [7, 11 + step], { starts: [0, 2], lengths: [5 + step, 3 + step] });
        logits.push(model.forward(batch, { ops, cache }));
      }
      return Promise.all(logits.map((one) => one.read()));
    };
    const [fused, unfused] = [await run(ops), await run(plain)];
    for (const [i, logits] of fused.entries()) expectClose(logits, unfused[i]!, { label: `pass ${i}` });
  });
});

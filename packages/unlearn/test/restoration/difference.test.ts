import { mse } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { expect, test } from "vitest";
import { questionBatch, runVanilla } from "../../src/index.ts";
import { writeDifferences } from "../../src/restoration/difference.ts";

const device = await testDevice();

test("logits in pieces of any size have the difference of whole logits, row by row", async () => {
  using vanilla = smallLlama(device, 1);
  using model = smallLlama(device, 2);
  using questions = questionBatch(device, [
    { prompt: [3, 4, 5], answer: [6, 7, 8] },
    { prompt: [9], answer: [10, 11, 12, 13] },
  ]);
  using run = runVanilla(vanilla, questions, []);
  using _ = device.scope("test");
  const { batch, rows } = questions;
  const [count, width] = run.logits.shape as [number, number];
  const expected = await mse(run.logits, model.forward(batch, { rows }), { reduction: "rows" }).read();
  const resid = model.forward(batch, { rows, upTo: "resid" });
  for (const bytes of [1, 4 * width, 4 * width * 3 + 2, 4 * width * (count - 1), 2 ** 24]) {
    const losses = device.empty([count + 2], "f32", "losses");
    writeDifferences(model, { resid, vanilla: run.logits }, losses, 1, bytes);
    const got = await losses.read();
    expectClose(got.slice(1, -1), expected, { rtol: 1e-5, atol: 1e-12, label: `pieces of ${bytes} bytes` });
  }
  expect(count).toBe(9);
});

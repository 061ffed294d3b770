import { batchOf } from "@lethe/decoder";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { questionBatch, restorationMemory, runVanilla, sweepRestoration } from "../../src/index.ts";

const device = await testDevice();

test("the plan of a sweep is its peak of memory, within 20%", async () => {
  using vanilla = smallLlama(device, 1);
  using unlearned = smallLlama(device, 2);
  const tokens = (count: number) => Array.from({ length: count }, () => integer(2, 52));
  const [prompt, answer, count] = [70, 50, 4];
  const questions = Array.from({ length: count }, () => ({ prompt: tokens(prompt), answer: tokens(answer) }));
  {
    using _ = device.scope("rotary tables, which the models keep");
    for (const model of [vanilla, unlearned]) model.forward(batchOf(device, [tokens(prompt + answer)]));
  }
  using batch = questionBatch(device, questions);
  const before = device.memory().bytesInUse;
  device.pool.resetPeak();
  using run = runVanilla(vanilla, batch);
  await sweepRestoration({ unlearned, questions: batch, run, radius: 1 });
  const peak = device.memory().peakBytes - before;
  const sizes = { questions: count, columns: prompt + answer, rows: batch.rows.size };
  const planned = restorationMemory(unlearned, sizes).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(peak / planned).toBeGreaterThan(0.8);
  expect(peak / planned).toBeLessThan(1.2);
});

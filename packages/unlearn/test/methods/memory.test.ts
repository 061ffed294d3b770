import { trainingRecipe } from "@lethe/lab";
import { OutOfMemoryError, openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test } from "vitest";
import { unlearn } from "../../src/methods/index.ts";

test("unlearning that does not fit says so before it starts", async () => {
  const device = await openDevice({ memoryBytes: 100_000 });
  onTestFinished(() => device.destroy());
  const model = smallLlama(device, 1);
  const recipe = trainingRecipe("tiny-llama", "npo", 10);
  const run = unlearn(model, { recipe, forget: [[1, 2, 3]], retain: [[4, 5, 6]], seed: 1 });
  const before = device.dispatches;
  const error = await run.next().catch((error) => error);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error.message).toMatch(
    /^unlearning llama needs [\d,]+ bytes .*\n {2}gradients .*\n {2}AdamW's first moments /,
  );
  expect(device.dispatches).toBe(before);
});

import { batchOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { warmLlama } from "@lethe/testing/llama";
import { afterAll, expect, test } from "vitest";
import { type AttributedQuestion, attentionMass } from "../../src/index.ts";
import { randomQuestion } from "./questions.ts";

const device = await testDevice();
const model = warmLlama(device, 3);
afterAll(() => model.dispose());
/** The longest question of these tests. */
const long = [randomQuestion(250, 6)];
// The model makes the rotary table of a length in the first run of that length, and keeps it.
await attentionMass(model, long);
const { num_hidden_layers: layers, num_attention_heads: heads } = model.config;

/** The mean of the captured patterns of one question alone, for each of its tokens. */
async function plain({ asked, answer }: AttributedQuestion): Promise<number[]> {
  const tokens = [...asked.tokens, ...answer];
  using captures = new Captures();
  {
    using _ = device.scope("plain");
    model.forward(batchOf(device, [tokens]), { hooks: new Hooks().capture("pattern", captures), upTo: "resid" });
  }
  const mean = tokens.map(() => 0);
  for (let layer = 0; layer < layers; layer++) {
    const pattern = await captures.get("pattern", layer).read();
    for (let head = 0; head < heads; head++)
      for (const k of answer.keys())
        for (const key of tokens.keys()) {
          const row = asked.tokens.length + k - 1;
          mean[key]! += pattern[(head * tokens.length + row) * tokens.length + key]! / (layers * heads * answer.length);
        }
  }
  return mean;
}

test("is the mean of all heads' patterns at the rows that predict the answer, summed over a word's tokens", async () => {
  const questions = [randomQuestion(12, 4), randomQuestion(5, 1), randomQuestion(8, 7)];
  const found = await attentionMass(model, questions);
  for (const [i, question] of questions.entries()) {
    const mean = await plain(question);
    // The rows see no more than there is, and the tokens of the template and of the answer have their share.
    expect(mean.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    const words = question.asked.words.map(({ tokens }) => tokens.reduce((sum, token) => sum + mean[token]!, 0));
    expectClose(found[i]!, words);
    expect(words.reduce((sum, value) => sum + value, 0)).toBeLessThan(1);
  }
});

test("holds one layer's pattern at a time", async () => {
  const pattern = 4 * heads * 256 ** 2;
  const before = device.memory().bytesInUse;
  device.pool.resetPeak();
  await attentionMass(model, long);
  expect(device.memory().peakBytes - before).toBeLessThan(2 * pattern);
});

import { batchOf } from "@lethe/decoder";
import { testDevice } from "@lethe/testing/device";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import { type AttributedQuestion, gradientTimesInput, integratedGradients } from "../../src/index.ts";
import { expectAgree, randomQuestion } from "./questions.ts";

const device = await testDevice();
const model = warmLlama(device, 1);
afterAll(() => model.dispose());
const { hidden_size: width, vocab_size: vocabulary } = model.config;
const questions = [randomQuestion(11, 5), randomQuestion(6, 1), randomQuestion(9, 6)];

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** The mean log-probability of an answer, alone and without padding, with words at a baseline where one is given. */
async function logProbOf({ asked, answer }: AttributedQuestion, baseline?: Float32Array): Promise<number> {
  const tokens = [...asked.tokens, ...answer];
  const table = await model.weights.get("model.embed_tokens.weight")!.read();
  const x = Float32Array.from(tokens.flatMap((token) => [...table.slice(token * width, (token + 1) * width)]));
  if (baseline) for (const { tokens } of asked.words) for (const token of tokens) x.set(baseline, token * width);
  const logits = () => {
    using _ = device.scope("log-probability");
    const resid = device.tensor(x, [1, tokens.length, width]);
    return model.forward(batchOf(device, [tokens]), { fromLayer: 0, resid }).read();
  };
  const values = await logits();
  const own = answer.map((token, k) => {
    const row = asked.tokens.length + k - 1;
    const all = Array.from(values.slice(row * vocabulary, (row + 1) * vocabulary));
    return all[token]! - Math.log(total(all.map(Math.exp)));
  });
  return total(own) / answer.length;
}

/** By how much the scores of each question's words miss what they should sum to: LP(input) − LP(baseline). */
async function gaps(asked: readonly AttributedQuestion[], steps: number, baseline?: Float32Array): Promise<number[]> {
  const scores = await integratedGradients(model, asked, { steps, ...(baseline && { baseline }) });
  const start = baseline ?? new Float32Array(width);
  const lost = asked.map(async (question) => (await logProbOf(question)) - (await logProbOf(question, start)));
  return (await Promise.all(lost)).map((value, i) => Math.abs(total(scores[i]!) - value));
}

describe("integratedGradients", () => {
  test("sums to what the words are worth together, the more closely the more steps", async () => {
    for (const baseline of [undefined, normal(width, 0.05)]) {
      const found = [];
      for (const steps of [4, 32]) found.push(total(await gaps(questions, steps, baseline)));
      expect(found[1]).toBeLessThan(2e-3);
      expect(found[1]).toBeLessThan(found[0]! / 8 + 2e-5);
    }
  });

  test("is 0 where every word starts at its own embedding", async () => {
    const table = await model.weights.get("model.embed_tokens.weight")!.read();
    const baseline = table.slice(7 * width, 8 * width);
    const words = [
      { text: "one", tokens: [0, 1] },
      { text: "two", tokens: [3] },
    ];
    const asked = { question: "", tokens: [7, 7, 2, 7, 3], words };
    const scores = await integratedGradients(model, [{ asked, answer: [5] }], { baseline });
    for (const score of scores[0]!) expect(score).toBeCloseTo(0, 7);
  });

  test("refuses a baseline of another width, and one that is not finite", async () => {
    await expect(integratedGradients(model, questions, { baseline: [1, 2] })).rejects.toThrow("has 2 values");
    const baseline = new Float32Array(width).fill(Number.NaN, 3, 5);
    await expect(integratedGradients(model, questions, { baseline })).rejects.toThrow(`${width - 2} of them finite`);
  });
});

test("logits of a large vocabulary are computed in pieces, and the gradient is the same", async () => {
  using large = smallLlama(device, 4, { vocab_size: 270_001, num_hidden_layers: 1 });
  // 18 rows: of this vocabulary, 16 are a piece.
  const asked = Array.from({ length: 2 }, () => randomQuestion(6, 9));
  const together = await gradientTimesInput(large, asked);
  // A gradient is a sum over the vocabulary in f32, in blocks that depend on the number of rows.
  for (const [i, question] of asked.entries())
    expectAgree(await gradientTimesInput(large, [question]), [together[i]!], 1e-3);
});

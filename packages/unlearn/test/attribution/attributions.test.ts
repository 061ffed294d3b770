import { testDevice } from "@lethe/testing/device";
import { goldenModel } from "@lethe/testing/golden";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { afterAll, describe, expect, test } from "vitest";
import { type AttributedQuestion, attentionMass, gradientTimesInput, integratedGradients } from "../../src/index.ts";
import { expectAgree, randomQuestion } from "./questions.ts";

const device = await testDevice();
const model = warmLlama(device, 1);
afterAll(() => model.dispose());
const questions = [randomQuestion(11, 5), randomQuestion(6, 1), randomQuestion(9, 6)];

describe.each([
  ["gradientTimesInput", gradientTimesInput],
  [
    "integratedGradients",
    (...[model, asked, options]: Parameters<typeof gradientTimesInput>) =>
      integratedGradients(model, asked, { steps: 3, ...options }),
  ],
  ["attentionMass", attentionMass],
])("%s", (_, attribution) => {
  test("is the same alone, without padding, as in one batch; and where blocks are computed twice", async () => {
    const together = await attribution(model, questions);
    for (const [i, question] of questions.entries()) expectAgree(await attribution(model, [question]), [together[i]!]);
    expectAgree(await attribution(model, questions, { batchTokens: 1 }), together);
    expectAgree(await attribution(model, questions, { batchTokens: 40 }), together);
    expect(await attribution(model, questions)).toEqual(together);
    expect(together.map(({ length }) => length)).toEqual(questions.map(({ asked }) => asked.words.length));
    expect(Math.max(...together.flat().map(Math.abs))).toBeGreaterThan(0);
  });

  test("works on packed weights, which no gradient is asked of", async () => {
    using packed = await goldenModel(device, "mha-untied-bf16");
    expect([...packed.weights.values()].some(({ dtype }) => dtype === "bf16")).toBe(true);
    using wide = packed.copyInF32();
    const asked = [randomQuestion(8, 3, packed.config.vocab_size), randomQuestion(5, 2, packed.config.vocab_size)];
    expectAgree(await attribution(packed, asked), await attribution(wide, asked));
  });

  test("counts its work from 0 to 1, and gives its memory back when it is stopped", async () => {
    const shares: number[] = [];
    await attribution(model, questions, { batchTokens: 20, progress: (share) => shares.push(share) });
    expect(shares[0]).toBe(0);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
    const controller = new AbortController();
    const stop = new Error("enough");
    const progress = (share: number) => share > 0.3 && controller.abort(stop);
    const stopped = attribution(model, questions, { batchTokens: 20, progress, signal: controller.signal });
    await expect(stopped).rejects.toBe(stop);
  });

  test("has nothing to say of no questions", async () => {
    expect(await attribution(model, [])).toEqual([]);
  });

  test("refuses what it cannot attribute, and says where a score is not finite", async () => {
    const [first] = questions;
    const broken = (change: Partial<AttributedQuestion["asked"]>, answer = [4]) => [
      first!,
      { asked: { ...first!.asked, ...change }, answer },
    ];
    const cases: [AttributedQuestion[], string][] = [
      [broken({}, []), 'question 1, "a question", has an answer without tokens'],
      [broken({ tokens: [], words: [] }), 'question 1, "a question", has no words'],
      [
        broken({ words: [{ text: "far", tokens: [10, 11] }] }),
        'has the word "far" at the places [10,11]; expected ascending',
      ],
      [broken({ words: [{ text: "back", tokens: [2, 1] }] }), "ascending places among the 11 tokens of its prompt"],
      [broken({ words: [{ text: "w", tokens: [-1] }] }), "each element an object of asked, answer"],
    ];
    for (const [asked, message] of cases) await expect(attribution(model, asked)).rejects.toThrow(message);
    using nan = smallLlama(device, 2);
    const weight = nan.weights.get("model.layers.1.self_attn.k_proj.weight")!;
    device.writeBytes(weight, 0, new Uint8Array(new Float32Array(weight.size).fill(Number.NaN).buffer));
    await expect(attribution(nan, [first!])).rejects.toThrow(
      'question 0, "a question": the score of "word 0" is NaN; the model\'s activations on it are NaN or too large',
    );
  });
});

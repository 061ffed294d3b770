import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import { LogitsError, ModelUseError } from "@lethe/decoder";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { afterAll, expect, test } from "vitest";
import { loadConcepts } from "../src/data/load.ts";
import { answerQuestions, exactShare, unrelatedFactsOf } from "../src/index.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const device = await testDevice();
const model = await loadModel(device, fromRoot("models/tiny-llama"));
afterAll(() => model.dispose());
const facts = unrelatedFactsOf(await loadConcepts(fromRoot("data/llama.json"))).slice(0, 5);
const questions = facts.map(({ question }) => question);
// Asked before the tests count bytes, because a model keeps the rotary table of its first run.
const answers = await answerQuestions(model, questions, { maxTokens: 30 });

test("a model that knows the facts gives their answers, in one batch or in several", async () => {
  expect(
    exactShare(
      answers,
      facts.map(({ answer }) => answer),
    ),
  ).toBe(1);
  expect(await answerQuestions(model, questions, { maxTokens: 30, batchSize: 2 })).toEqual(answers);
});

test("questions are put in the form that is asked for, and by the tokenizer that is given", async () => {
  const asked = { maxTokens: 1, prompt: "Q: {question} A:" };
  const [answer] = await answerQuestions(model, questions.slice(0, 1), asked);
  expect(answer!.prompt).toEqual(await model.text!.encode(`Q: ${questions[0]} A:`));
  using bare = smallLlama(device, 1);
  const tokenizer = { ...model.text!, encode: async () => [3, 1, 2], decode: async () => " words " };
  const given = await answerQuestions(bare, questions.slice(0, 1), { maxTokens: 1, tokenizer });
  expect(given).toMatchObject([{ question: questions[0], prompt: [3, 1, 2], text: "words" }]);
});

test("exactShare counts answers that are word for word as expected", async () => {
  const given = ["a b", "c", "d"].map((text) => ({ question: "", prompt: [], tokens: [], text }));
  expect(exactShare(given, ["a b", "C", "d"])).toBeCloseTo(2 / 3, 14);
});

test("stops when it is told to, with the reason that it was given", async () => {
  const controller = new AbortController();
  const stop = new Error("enough");
  let tokens = 0;
  const onToken = () => {
    if (++tokens === 2) controller.abort(stop);
  };
  const asked = answerQuestions(model, questions, { maxTokens: 30, onToken, signal: controller.signal });
  await expect(asked).rejects.toBe(stop);
  expect(tokens).toBe(2);
});

test("a model without a tokenizer cannot be asked", async () => {
  using silent = smallLlama(device, 1);
  await expect(answerQuestions(silent, questions, { maxTokens: 1 })).rejects.toThrow(ModelUseError);
});

test("logits that are NaN stop the answers, with the question", async () => {
  using broken = await loadModel(device, fromRoot("models/tiny-llama"), { dtype: "f32" });
  const norm = broken.weights.get("model.norm.weight")!;
  device.writeBytes(norm, 0, new Uint8Array(new Float32Array([Number.NaN]).buffer));
  const asked = answerQuestions(broken, questions, { maxTokens: 3, batchSize: 2 });
  await expect(asked).rejects.toThrow(LogitsError);
  await expect(asked).rejects.toThrow(`question 0, "${questions[0]}": the logits after its token`);
});

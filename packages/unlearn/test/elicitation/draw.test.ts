import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import { LogitsError, ModelUseError } from "@lethe/decoder";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { afterAll, expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import { answerQuestions, drawAnswers, isRight, leakAtK, unrelatedFactsOf } from "../../src/index.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const device = await testDevice();
const model = await loadModel(device, fromRoot("models/tiny-llama"));
afterAll(() => model.dispose());
const facts = unrelatedFactsOf(await loadConcepts(fromRoot("data/llama.json"))).slice(0, 3);
const questions = facts.map(({ question }) => question);
const asked = { samples: 8, maxTokens: 24, seed: 5 };
// Asked before the tests count bytes, because a model keeps the rotary table of its first run.
const answers = await drawAnswers(model, questions, asked);

test("each question has so many answers, most of them right for a model that knows the facts", async () => {
  expect(answers.map((own) => own.length)).toEqual([8, 8, 8]);
  const right = answers.flatMap((own, i) =>
    own.map(({ question, text }) => isRight("exact", { question, expected: facts[i]!.answer, answer: text })),
  );
  const count = right.filter(Boolean).length;
  expect(count).toBeGreaterThan(12);
  expect(leakAtK(24, count, 3)).toBeGreaterThan(0.8);
  for (const [i, own] of answers.entries())
    for (const { question, prompt, tokens, text } of own) {
      expect(question).toBe(questions[i]);
      expect(prompt).toEqual(own[0]!.prompt);
      expect(text).toBe((await model.text!.decode(tokens)).trim());
      expect(tokens.length).toBeLessThanOrEqual(24);
    }
  const hot = await drawAnswers(model, questions, { ...asked, temperature: 3 });
  expect(new Set(hot[0]!.map(({ text }) => text)).size).toBe(8);
});

test("the same seed gives the same answers, beside other questions too, and another seed others", async () => {
  const [alone] = await drawAnswers(model, questions.slice(1, 2), { ...asked, batchSize: 3 });
  expect(alone).toEqual(answers[1]);
  const hot = { ...asked, temperature: 2, maxTokens: 4 };
  const drawn = await drawAnswers(model, questions, hot);
  expect(await drawAnswers(model, questions, hot)).toEqual(drawn);
  expect(await drawAnswers(model, questions, { ...hot, seed: 6 })).not.toEqual(drawn);
});

test("without chance the answers are the greedy ones, put in the form that is asked for", async () => {
  const prompt = "Q: {question} A:";
  const greedy = await answerQuestions(model, questions, { maxTokens: 6, prompt });
  const cold = { ...asked, samples: 2, maxTokens: 6, prompt };
  for (const certain of [{ temperature: 0 }, { topP: 1e-6 }])
    expect(await drawAnswers(model, questions, { ...cold, ...certain })).toEqual(greedy.map((one) => [one, one]));
});

test("stops when it is told to, with the reason that it was given", async () => {
  const controller = new AbortController();
  const stop = new Error("enough");
  let passes = 0;
  const onToken = () => {
    if (++passes === 2) controller.abort(stop);
  };
  await expect(drawAnswers(model, questions, { ...asked, onToken, signal: controller.signal })).rejects.toBe(stop);
  expect(passes).toBe(2);
});

test("a model without a tokenizer cannot be asked, and logits that are NaN stop the answers, with the question", async () => {
  using silent = smallLlama(device, 1);
  await expect(drawAnswers(silent, questions, asked)).rejects.toThrow(ModelUseError);
  await expect(drawAnswers(model, questions, { ...asked, topP: 0 })).rejects.toThrow(
    "topP is 0, expected a probability",
  );
  using broken = await loadModel(device, fromRoot("models/tiny-llama"), { dtype: "f32" });
  const norm = broken.weights.get("model.norm.weight")!;
  device.writeBytes(norm, 0, new Uint8Array(new Float32Array([Number.NaN]).buffer));
  const failed = drawAnswers(broken, questions, asked);
  await expect(failed).rejects.toThrow(LogitsError);
  await expect(failed).rejects.toThrow(`question 0, "${questions[0]}": the logits after its token`);
});

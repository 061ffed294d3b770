import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import { testDevice } from "@lethe/testing/device";
import { afterAll, describe, expect, test } from "vitest";
import {
  type AttributedQuestion,
  attentionMass,
  gradientTimesInput,
  integratedGradients,
  type PromptWord,
} from "../../src/index.ts";
import { expectAgree } from "./questions.ts";

interface Case {
  readonly question: string;
  readonly prompt: number[];
  readonly words: PromptWord[];
  readonly answer: number[];
  readonly gradientTimesInput: number[];
  readonly integratedGradients: { readonly zeros: number[]; readonly wave: number[] };
  /** The log-probability that the answer loses where the words are at the baseline. */
  readonly lost: { readonly zeros: number; readonly wave: number };
  readonly attentionMass: number[];
}

const file = new URL("../golden/gradient-attribution.json", import.meta.url);
const golden: { steps: number; models: Record<string, Case[]> } = JSON.parse(await readFile(file, "utf8"));
const device = await testDevice();
const models = await Promise.all(
  Object.entries(golden.models).map(async ([name, cases]) => {
    const model = await loadModel(device, fileURLToPath(new URL(`../../../../models/${name}`, import.meta.url)));
    const questions: AttributedQuestion[] = cases.map(({ question, prompt, words, answer }) => ({
      asked: { question, tokens: prompt, words },
      answer,
    }));
    // A model makes its rotary table in its first run, and keeps it.
    await attentionMass(model, questions);
    return { name, model, cases, questions };
  }),
);
afterAll(() => {
  for (const { model } of models) model.dispose();
});

/** Asserts that each question's scores agree with torch's. */
function expectEach(found: readonly number[][], cases: readonly Case[], wanted: (one: Case) => number[]): void {
  for (const [i, one] of cases.entries()) expectAgree([found[i]!], [wanted(one)]);
}

describe.each(models)("$name, as torch has it", ({ model, cases, questions }) => {
  test("attention mass", async () => {
    expectEach(await attentionMass(model, questions), cases, (one) => one.attentionMass);
  });

  test("gradient × input", async () => {
    expectEach(await gradientTimesInput(model, questions), cases, (one) => one.gradientTimesInput);
  });

  test("integrated gradients from zeros, and from a baseline of one's own", async () => {
    const { steps } = golden;
    expectEach(await integratedGradients(model, questions, { steps }), cases, (one) => one.integratedGradients.zeros);
    const baseline = Float32Array.from({ length: model.config.hidden_size }, (_, i) => Math.sin(i) / 20);
    expectEach(
      await integratedGradients(model, questions, { steps, baseline }),
      cases,
      (one) => one.integratedGradients.wave,
    );
  });
});

test("by their own number of steps, integrated gradients sum to what the answer loses", async () => {
  const { model, cases, questions } = models[0]!;
  const [scores] = await integratedGradients(model, questions.slice(0, 1));
  const sum = scores!.reduce((total, score) => total + score, 0);
  expect(Math.abs(sum - cases[0]!.lost.zeros)).toBeLessThan(0.03);
  expect(Math.abs(cases[0]!.lost.zeros)).toBeGreaterThan(0.5);
});

import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import {
  answerQuestions,
  figure1,
  forgetParagraphs,
  krs,
  optimisers,
  questionBatch,
  runVanilla,
  sweepRestoration,
  trainedWeights,
  unlearn,
  unlearningDTypes,
} from "../../src/index.ts";

const root = join(import.meta.dirname, "../../../..");
const device = await testDevice();
const vanilla = await loadModel(device, join(root, "models/tiny-llama"));
const [concept, other] = await loadConcepts(join(root, "data/llama.json"));
const encode = (texts: readonly string[]) => Promise.all(texts.map((text) => vanilla.text!.encode(text)));
const [forget, retain] = [await encode(forgetParagraphs(concept!, 0)), await encode(forgetParagraphs(other!, 0))];
const asked = await answerQuestions(vanilla, concept!.questions.slice(0, 5), { maxTokens: 20 });
const questions = questionBatch(
  device,
  asked.map(({ prompt, tokens }) => ({ prompt, answer: tokens })),
);
const run = runVanilla(vanilla, questions, figure1);

/** Twelve steps of Gradient Difference at the rate that is on record, and a sweep. */
async function curvesOf(changes: object) {
  const steps = { epochs: 3, steps: 12, stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false };
  const how = { method: "graddiff", recipe: { learningRate: 8e-4, ...steps, ...changes }, forget, retain, seed: 0 };
  using model = vanilla.copyIn(unlearningDTypes(vanilla, how));
  const losses: number[] = [];
  for await (const records of unlearn(model, how)) losses.push(...records.map(({ loss }) => loss));
  const swept = await sweepRestoration({ unlearned: model, questions, run, radius: 1, stride: 6, settings: figure1 });
  const scores = figure1.flatMap(({ name }) =>
    swept.restored[name].paper.map((losses) => krs(swept.base.paper, losses).ratioOfMeans),
  );
  return { losses, scores };
}

const plainCurves = {
  adamw: await curvesOf({ optimiser: "adamw" }),
  adafactor: await curvesOf({ optimiser: "adafactor" }),
};

const furthest = (some: readonly number[], others: readonly number[]) =>
  Math.max(...some.map((value, i) => Math.abs(value - others[i]!)));

test.each(optimisers.map(({ name }) => name))(
  "%s on tiny-llama: with 8 bits or bf16 weights the losses stay within a fiftieth of their range, and KRS within 0.02",
  async (name) => {
    const counterpart = name === "adamw-8bit" ? "adamw" : name;
    const plain = plainCurves[counterpart];
    const range = Math.max(...plain.losses) - Math.min(...plain.losses);
    expect(range).toBeGreaterThan(1);
    expect(Math.max(...plain.scores)).toBeGreaterThan(0.3);
    for (const { name: weights } of trainedWeights) {
      if (weights === "f32" && name === counterpart) continue;
      const { losses, scores } = await curvesOf({ optimiser: name, weights });
      expect(furthest(losses, plain.losses) / range, weights).toBeLessThan(0.02);
      expect(furthest(scores, plain.scores), weights).toBeLessThan(0.02);
    }
  },
);

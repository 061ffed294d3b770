import { join } from "node:path";
import { sketchDevice } from "@lethe/tensor";
import { figure1, methods, recipeSchema } from "@lethe/unlearn";
import { expect, test } from "vitest";
import { choicesOf, dimensions, nameOf } from "../../src/plan/choices.ts";
import { type DryRun, dryRestoration, dryTraining } from "../../src/plan/dry-run.ts";
import { partsOf } from "../../src/plan/parts.ts";
import { type PlannedRow, parametersOf, planRows } from "../../src/plan/plan.ts";
import { sketchModel } from "../../src/plan/sketch-model.ts";
import { textsOfLength } from "../../src/plan/texts.ts";
import { secondsOf } from "../../src/plan/time.ts";

const shape = (name: string) => join(import.meta.dirname, "../../../../models/shapes", name);
const questions = { targetQuestions: 3, unrelatedQuestions: 5, maxAnswerTokens: 8 };
const rates = { flops: 1e14, bandwidth: 3e12 };
const usual = choicesOf({})[0]!;

async function rowsOf(
  name: string,
  method: string,
  trains: readonly string[],
  texts = textsOfLength(8, 100, questions),
) {
  const wanted = trains.map((train) => ({ method, choice: { ...usual, train } }));
  const model = await sketchModel(sketchDevice(), shape(name));
  return { model, rows: await planRows(model, { wanted, epochs: 1, changes: {}, texts, rates }) };
}

const bytesOf = ({ parts }: PlannedRow, wanted: RegExp) =>
  parts.filter(({ part }) => wanted.test(part)).reduce((sum, { bytes }) => sum + bytes, 0);

test("a shape of seven billion parameters takes four bytes each of weights, gradients and moments, and its own two", async () => {
  const { model, rows } = await rowsOf("7b-llama", "graddiff", ["all", "W_V"]);
  const parameters = 6_738_415_616;
  expect([...model.weights.values()].reduce((sum, { size }) => sum + size, 0)).toBe(parameters);
  const [valueVectors, all] = rows as [PlannedRow, PlannedRow];
  expect(all.choice.train).toBe("all");
  for (const part of [/^weights of the trained/, /^gradients/, /first moments/, /second moments/])
    expect(bytesOf(all, part) / parameters).toBeCloseTo(4, 3);
  expect(bytesOf(all, /^weights of the vanilla/) / parameters).toBeCloseTo(2, 3);
  expect(all.perParameter).toBeCloseTo(18, 2);
  expect(all.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(all.bytes);
  expect(bytesOf(valueVectors, /^gradients/)).toBe(4 * 32 * 4096 * 11_008);
  expect(valueVectors.bytes).toBeLessThan(all.bytes);
});

test("a training does about eight operations a parameter and token, with what is computed twice", async () => {
  const [count, tokens] = [8, 96];
  const vanilla = await sketchModel(sketchDevice(), shape("7b-llama"));
  const texts = textsOfLength(count, tokens, questions);
  const recipe = { learningRate: 1e-5, epochs: 1 };
  const job = {
    ...texts,
    vanilla: "device" as const,
    how: { method: "graddiff", recipe, forget: texts.forget, retain: texts.retain, seed: 0 },
  };
  const { work } = await dryTraining(vanilla, job);
  const epoch = work.filter(({ stage }) => stage === "epoch");
  const flops = epoch.reduce((sum, { count, flops }) => sum + count * flops, 0);
  const multiplied = [...vanilla.weights].filter(([name]) => !name.includes("embed_tokens") && !name.includes("norm"));
  const parameters = multiplied.reduce((sum, [, { size }]) => sum + size, 0);
  // Texts of both kinds; 96 is one of the lengths that texts are padded to.
  expect(flops / (parameters * 2 * count * tokens)).toBeCloseTo(8, 1);
});

test("a streamed vanilla model takes one block and what is outside of the blocks, and leaves its value vectors", async () => {
  const model = await sketchModel(sketchDevice(), shape("1b-llama"));
  const texts = textsOfLength(1, 8, { targetQuestions: 1, unrelatedQuestions: 1, maxAnswerTokens: 2 });
  const restoration = { settings: figure1, radius: 2, stride: 1 };
  const recipe = recipeSchema.parse({ learningRate: 1e-5, epochs: 1 });
  const how = { method: "graddiff", trains: "lora:1", recipe, forget: texts.forget, retain: texts.retain, seed: 0 };
  const part = ({ parts }: DryRun, name: string) => parts.find(({ part }) => part === name)?.bytes ?? 0;
  const job = { ...texts, how, restoration };
  const streamed = await dryRestoration(model, { ...job, vanilla: "streamed" });
  const kept = await dryRestoration(model, { ...job, vanilla: "device" });
  const [d, n, vocabulary] = [2048, 5632, 32_000];
  const block = 2 * (2 * d * d + 2 * 256 * d + 3 * n * d + 2 * d);
  expect(part(streamed, "streamed weights of the vanilla model") / (block + 4 * vocabulary * d)).toBeCloseTo(1, 3);
  expect(part(streamed, "value vectors of the vanilla model")).toBe(22 * 2 * n * d);
  expect(part(streamed, "weights of the vanilla model")).toBe(0);
  expect(part(kept, "weights of the vanilla model") / (2 * parametersOf(model))).toBeCloseTo(1, 3);
  for (const { parts, peak } of [streamed, kept]) expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(peak);
});

test("the time is the roofline of what is counted, as often as the job does it", () => {
  const each = { kernel: "matmul_tiled", count: 2, flops: 1e12, bytes: 1e9 };
  const stages = ["copying", "prompts", "column", "first epoch", "answering", "epoch", "restoring"] as const;
  const work = stages.map((stage) => ({ ...each, stage }));
  const run = { peak: 0, at: "epoch" as const, parts: [], work };
  const times = { epochs: 3, answered: 2, answerTokens: 5 };
  // Each stage is two seconds by operations, or four by bytes: copying 1, answers 3 × (1 + 4), training 1 + 2, restoring 1.
  expect(secondsOf(run, { flops: 1e12, bandwidth: 1e12 }, times)).toBeCloseTo(2 * 20);
  expect(secondsOf(run, { flops: 1e12, bandwidth: 5e8 }, times)).toBeCloseTo(4 * 20);
});

test("parts are found by what tensors are called, and what rests between batches is the reference model's", () => {
  const weights = { labels: new Set(["a.weight and 3 more"]), vanilla: 20, trained: 40 };
  const live = {
    "a.weight and 3 more": 60,
    "a.weight.grad and 3 more": 41,
    "b.weight.exp_avg": 42,
    "b.weight.exp_avg_sq and 1 more": 43,
    "a.weight before training": 44,
    "value cache of layer 3": 45,
    logSoftmax: 100,
    matmul: 50,
  };
  const parts = partsOf(new Map(Object.entries(live)), weights, new Map([["logSoftmax", 80]]));
  expect(Object.fromEntries(parts.map(({ part, bytes }) => [part, bytes]))).toEqual({
    "what the reference model gave": 80,
    activations: 70,
    "KV cache": 45,
    "weights before training": 44,
    "AdamW's second moments": 43,
    "AdamW's first moments": 42,
    gradients: 41,
    "weights of the trained model": 40,
    "weights of the vanilla model": 20,
  });
  expect(parts.map(({ bytes }) => bytes)).toEqual(parts.map(({ bytes }) => bytes).toSorted((a, b) => b - a));
});

test("methods that take the same are one row, and every method has one", async () => {
  const model = await sketchModel(sketchDevice(), shape("1b-olmo"));
  const wanted = methods.map(({ name: method }) => ({ method, choice: usual }));
  const texts = textsOfLength(8, 200, questions);
  const done: number[] = [];
  const progress = (count: number) => done.push(count);
  const rows = await planRows(model, { wanted, epochs: 1, changes: { batchSize: 2 }, texts, rates, progress });
  expect(done).toEqual(wanted.map((_, i) => i));
  expect(rows.flatMap((row) => row.methods).toSorted()).toEqual(methods.map(({ name }) => name).toSorted());
  expect(rows.length).toBeLessThan(methods.length);
  expect(rows.map(({ bytes }) => bytes)).toEqual(rows.map(({ bytes }) => bytes).toSorted((a, b) => a - b));
  const of = (method: string) => rows.find((row) => row.methods.includes(method))!;
  expect(of("graddiff+kl").bytes).toBeGreaterThan(of("graddiff").bytes);
  expect(bytesOf(of("taskvector"), /before training/)).toBeGreaterThan(0);
});

test("choices: without any the usual one, each other value alone, and the least; else all combinations of what is given", () => {
  const trains = dimensions[0]!.values;
  const all = choicesOf({});
  expect(all[0]).toEqual(Object.fromEntries(dimensions.map(({ name, values }) => [name, values[0]])));
  for (const { name, values } of dimensions)
    for (const value of values) expect(all.map((choice) => choice[name])).toContain(value);
  expect(new Set(all.map((choice) => JSON.stringify(choice))).size).toBe(all.length);
  const given = choicesOf({ train: ["W_V", "lora:2"] });
  expect(given).toEqual([
    { ...all[0], train: "W_V" },
    { ...all[0], train: "lora:2" },
  ]);
  expect(given.map(nameOf)).toEqual(["W_V", "lora:2"]);
  expect(nameOf(all[0]!)).toBe(trains[0]);
});

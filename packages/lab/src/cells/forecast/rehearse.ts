import { type Decoder, generateTokens } from "@lethe/decoder";
import { promptTokens, unlearn } from "@lethe/unlearn";
import { repeated } from "../../studies/layers.ts";
import { lineThrough } from "../../studies/line.ts";
import type { Study } from "../../studies/study.ts";
import type { Watcher } from "../../subjects/subject.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Rates, Work } from "./forecast.ts";

type Rehearsed = Omit<Rates, "load" | "keep">;
type How = Awaited<ReturnType<typeof howToUnlearn>>;

/** The stage in which a cell's passes are measured. */
const MEASURING = "measuring for the forecast";

/**
 * Measures a pass of each shape that a cell has, and an optimiser step. It leaves the vanilla model as it is. The copy's weights do not
 * hold afterwards and have to be copied again.
 */
export async function rehearse(
  { vanilla, copy }: { readonly vanilla: Decoder; readonly copy: Decoder },
  cell: Cell,
  studies: readonly Study[],
  { progress, signal }: Pick<Watcher, "progress" | "signal">,
): Promise<Rehearsed> {
  progress(0, MEASURING);
  const { targetQuestions, maxAnswerTokens: answerTokens } = cell.config.evaluation;
  const prompts = await promptsOf(vanilla, cell);
  // The copy answers, because it is in f32, as the trained model is.
  const answering = await rehearseAnswers(copy, prompts, signal);
  progress(0.3, MEASURING);
  const training = await rehearseSteps(copy, cell, signal);
  copy.device.trim(); // The training's memory is not needed for what follows.
  progress(0.7, MEASURING);
  const measured: Record<string, unknown> = {};
  const rehearsal = { vanilla, copy, prompts: prompts.slice(0, targetQuestions), answerTokens, signal };
  for (const { name, cost } of studies)
    if (cost && name in cell.config.studies) measured[name] = await cost.rehearse(rehearsal, cell.config.studies[name]);
  return { ...answering, ...training, studies: measured };
}

/** The prompts of a cell's questions in tokens: those about the concept, then the others. */
export async function promptsOf({ text }: Decoder, { config, sources: { concept } }: Cell): Promise<number[][]> {
  const { targetQuestions, unrelatedQuestions, prompt } = config.evaluation;
  const asked = [...concept.questions.slice(0, targetQuestions), ...concept.unrelated.slice(0, unrelatedQuestions)];
  return Promise.all(asked.map((question) => promptTokens(text!, question, prompt)));
}

/** Columns that are measured. */
const COLUMNS = 4;

async function rehearseAnswers(
  model: Decoder,
  prompts: readonly number[][],
  signal: AbortSignal,
): Promise<Pick<Rates, "prompts" | "column">> {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const few = Math.ceil(prompts.length / 4);
  await timeAnswers(model, prompts.slice(0, few), longest, signal); // It compiles.
  const some = await timeAnswers(model, prompts.slice(0, few), longest, signal);
  const all = await timeAnswers(model, prompts, longest, signal);
  return {
    prompts: lineThrough([few * longest, some.first], [prompts.length * longest, all.first]),
    column: lineThrough([few, some.column], [prompts.length, all.column]),
  };
}

/** Seconds until the first column of tokens, and for each that follows. */
async function timeAnswers(model: Decoder, prompts: readonly number[][], length: number, signal: AbortSignal) {
  const even = prompts.map((prompt) => repeated(prompt, length));
  const at = [performance.now()];
  for await (const _ of generateTokens(model, even, { maxNewTokens: 1 + COLUMNS, stop: [], signal }))
    at.push(performance.now());
  const [start, first, last] = [at[0]!, at[1]!, at.at(-1)!];
  return { first: (first - start) / 1000, column: (last - first) / 1000 / COLUMNS };
}

async function rehearseSteps(
  copy: Decoder,
  { config, sources }: Cell,
  signal: AbortSignal,
): Promise<Pick<Rates, "update" | "batch">> {
  const { subject } = config;
  if (subject.kind !== "unlearned") return { update: 0, batch: { fixed: 0, each: 0 } };
  const how = await howToUnlearn({ text: copy.text, model: copy }, { config: { ...config, subject }, sources });
  const { batchSize } = how.recipe;
  const short = (texts: How["forget"]) => [texts[0]!.slice(0, 8)];
  const small = { ...how, forget: short(how.forget), retain: short(how.retain) };
  const large = { ...how, forget: middle(how.forget, batchSize), retain: middle(how.retain, batchSize) };
  const one = await timeOfStep(copy, small, 1, signal);
  const two = await timeOfStep(copy, small, 2, signal);
  const whole = await timeOfStep(copy, large, 1, signal);
  const fixed = Math.max(0, Math.min(one.seconds, two.seconds - one.seconds));
  const update = Math.min(one.seconds - fixed, whole.seconds / 2);
  return { update, batch: lineThrough([one.tokens, fixed], [whole.tokens, whole.seconds - update]) };
}

/** Texts of the middle lengths. */
function middle(texts: How["forget"], count: number): How["forget"] {
  const sorted = texts.toSorted((a, b) => a.length - b.length);
  const from = Math.max(0, Math.floor((sorted.length - count) / 2));
  return sorted.slice(from, from + count);
}

/** Steps that are measured; one before them compiles, and takes the memory of the training. */
const STEPS = 2;

/** Measures optimiser steps of so many equal batches, one after the other as in a training, at a learning rate that changes no weight. */
async function timeOfStep(copy: Decoder, how: How, batches: number, signal: AbortSignal) {
  let tokens = 0;
  const ends: number[] = [];
  const recipe = {
    ...how.recipe,
    learningRate: 1e-30,
    epochs: 1,
    steps: null,
    stepsPerEpoch: 1 + STEPS,
    gradientAccumulation: batches,
  };
  const onMicroBatch = (progress: { readonly tokens: number; readonly done: number }) => {
    tokens = progress.tokens;
    if (Number.isInteger(progress.done)) ends.push(performance.now());
  };
  for await (const _ of unlearn(copy, { ...how, recipe, onMicroBatch, signal }));
  return { seconds: (ends.at(-1)! - ends[0]!) / 1000 / STEPS, tokens };
}

/** Questions whose pass says roughly how fast a model is. */
const PROBED = 8;

/**
 * A rough guess at what asking and training take, from a few questions' passes: forward passes by their tokens, and training at four times
 * the cost.
 */
export async function roughSeconds(model: Decoder, cell: Cell, work: Work, signal: AbortSignal): Promise<number> {
  const prompts = (await promptsOf(model, cell)).slice(0, PROBED);
  const tokens = prompts.length * Math.max(...prompts.map(({ length }) => length));
  const pass = async () => {
    const startedAt = performance.now();
    for await (const _ of generateTokens(model, prompts, { maxNewTokens: 1, stop: [], signal }));
    return (performance.now() - startedAt) / 1000;
  };
  await pass(); // It compiles.
  const each = (await pass()) / tokens;
  const trained = work.steps * work.batchesPerStep * work.batchTokens;
  const asked = (1 + work.epochs) * work.questions * (work.promptTokens + work.answerTokens);
  return each * (4 * trained + asked);
}

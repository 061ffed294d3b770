import { type Decoder, generateTokens } from "@lethe/decoder";
import { promptTokens, unlearn } from "@lethe/unlearn";
import type { Study } from "../../studies/study.ts";
import type { Watcher } from "../../subjects/subject.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Rates, Work } from "./forecast.ts";
import { LONG, lineThrough } from "./line.ts";

type Rehearsed = Omit<Rates, "load" | "keep">;
type How = Awaited<ReturnType<typeof howToUnlearn>>;

/** The stage in which a cell's passes are measured. */
const MEASURING = "measuring for the forecast";

/** How often a short pass is measured when all is compiled. */
const REPEATS = 3;

/** Measures a pass whose kernels are compiled. */
async function timed(pass: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  while (times.length < REPEATS && !(times[0]! > LONG)) {
    const startedAt = performance.now();
    await pass();
    times.push((performance.now() - startedAt) / 1000);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

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
  const pass =
    (count: number, maxNewTokens: number, tokens = longest) =>
    async () => {
      const cut = prompts.slice(0, count).map((prompt) => padded(prompt, longest).slice(0, tokens));
      for await (const _ of generateTokens(model, cut, { maxNewTokens, stop: [], signal }));
    };
  // The first pass compiles.
  await pass(few, 1 + COLUMNS)();
  const promptsLine = lineThrough(
    [few * longest, await timed(pass(few, 1))],
    [prompts.length * longest, await timed(pass(prompts.length, 1))],
  );
  // From prompts of one token the columns are soon there.
  const column = async (count: number) =>
    Math.max(0, (await timed(pass(count, 1 + COLUMNS, 1))) - (await timed(pass(count, 1, 1)))) / COLUMNS;
  return {
    prompts: promptsLine,
    column: lineThrough([few, await column(few)], [prompts.length, await column(prompts.length)]),
  };
}

function padded(tokens: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => tokens[i % tokens.length]!);
}

async function rehearseSteps(
  copy: Decoder,
  { config, sources }: Cell,
  signal: AbortSignal,
): Promise<Pick<Rates, "update" | "batch">> {
  const { subject } = config;
  if (subject.kind !== "unlearned") return { update: 0, batch: { fixed: 0, each: 0 } };
  const how = await howToUnlearn(copy, { config: { ...config, subject }, sources });
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

/**
 * Measures an optimiser step of so many equal batches, at a learning rate that changes no weight. The first step does not count: it compiles,
 * and takes the memory of the training.
 */
async function timeOfStep(copy: Decoder, how: How, batches: number, signal: AbortSignal) {
  let tokens = 0;
  const recipe = {
    ...how.recipe,
    learningRate: 1e-30,
    epochs: 1 + REPEATS,
    steps: null,
    stepsPerEpoch: 1,
    gradientAccumulation: batches,
  };
  let startedAt = performance.now();
  const times: number[] = [];
  const onMicroBatch = (done: { readonly tokens: number }) => {
    tokens = done.tokens;
  };
  for await (const _ of unlearn(copy, { ...how, recipe, onMicroBatch, signal })) {
    times.push((performance.now() - startedAt) / 1000);
    if (times[1]! > LONG) break;
    startedAt = performance.now();
  }
  return { seconds: median(times.slice(1)), tokens };
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
    for await (const _ of generateTokens(model, prompts, { maxNewTokens: 1, stop: [], signal }));
  };
  await pass();
  const each = (await timed(pass)) / tokens;
  const trained = work.steps * work.batchesPerStep * work.batchTokens;
  const asked = (1 + work.epochs) * work.questions * (work.promptTokens + work.answerTokens);
  return each * (4 * trained + asked);
}

import { type Decoder, generateTokens } from "@lethe/decoder";
import { promptTokens, questionBatch, runVanilla, settings, sweepRestoration, unlearn } from "@lethe/unlearn";
import type { RestorationOptions } from "../../studies/restoration/schema.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import { lineThrough, type Rates, type Work } from "./forecast.ts";

type Rehearsed = Omit<Rates, "load">;
type How = Awaited<ReturnType<typeof howToUnlearn>>;

/** A pass that takes longer than this, in seconds, is measured once, the first time; a shorter one several times more, when all is compiled. */
const LONG = 3;

/** How often a short pass is measured when all is compiled. */
const REPEATS = 3;

/** Measures a pass. The first time holds the compilation of its kernels. */
async function timed(pass: () => Promise<unknown>): Promise<number> {
  const once = async () => {
    const startedAt = performance.now();
    await pass();
    return (performance.now() - startedAt) / 1000;
  };
  const first = await once();
  if (first > LONG) return first;
  const later: number[] = [];
  for (let i = 0; i < REPEATS; i++) later.push(await once());
  return median(later);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/**
 * Measures a pass of each shape that a cell has, and an optimiser step. It leaves the vanilla model as it is. The copy's weights do not
 * hold afterwards and have to be copied again.
 */
export async function rehearse(vanilla: Decoder, copy: Decoder, cell: Cell, signal: AbortSignal): Promise<Rehearsed> {
  const answering = await rehearseAnswers(vanilla, cell, signal);
  const training = await rehearseSteps(copy, cell, signal);
  const window = await rehearseWindows(vanilla, copy, cell, signal);
  return { ...answering, ...training, window };
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
  cell: Cell,
  signal: AbortSignal,
): Promise<Pick<Rates, "prompts" | "column">> {
  const prompts = await promptsOf(model, cell);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const few = Math.ceil(prompts.length / 4);
  const pass =
    (count: number, maxNewTokens: number, tokens = longest) =>
    async () => {
      const cut = prompts.slice(0, count).map((prompt) => padded(prompt, longest).slice(0, tokens));
      for await (const _ of generateTokens(model, cut, { maxNewTokens, stop: [], signal }));
    };
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

/** Measures an optimiser step of so many equal batches, at a learning rate that changes no weight. */
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
    if (times[0]! > LONG) break;
    startedAt = performance.now();
  }
  return { seconds: times.length > 1 ? median(times.slice(1)) : times[0]!, tokens };
}

/** Measures windows around the first and the last layer, on as many of the questions as are quick. */
async function rehearseWindows(
  vanilla: Decoder,
  copy: Decoder,
  cell: Cell,
  signal: AbortSignal,
): Promise<Rates["window"]> {
  const options = cell.config.studies.restoration as RestorationOptions | undefined;
  if (!options) return { fixed: 0, each: 0 };
  const chosen = settings.filter(({ name }) => options.settings.includes(name));
  const all = (await promptsOf(vanilla, cell)).slice(0, cell.config.evaluation.targetQuestions);
  const depth = vanilla.config.num_hidden_layers;
  const measure = async (count: number) => {
    const answer = padded(all[0]!, cell.config.evaluation.maxAnswerTokens);
    const prompts = all.slice(0, count);
    using questions = questionBatch(
      vanilla.device,
      prompts.map((prompt) => ({ prompt, answer })),
    );
    using run = runVanilla(vanilla, questions, chosen);
    const common = { unlearned: copy, questions, run, radius: options.windowRadius, settings: chosen, signal };
    const sweep = async (stride: number) => {
      let since = 0;
      const startedAt = (share: number) => {
        if (share === 0) since = performance.now();
      };
      await sweepRestoration({ ...common, stride, progress: startedAt });
      return (performance.now() - since) / 1000 / chosen.length;
    };
    const tokens = prompts.length * (Math.max(...prompts.map(({ length }) => length)) + answer.length);
    await sweep(depth);
    const first = await sweep(depth);
    // Both windows of a stride that leads from the first layer to the last; the second pass is short.
    const last = Math.max(0, (await sweep(depth - 1)) - first);
    const layers = Math.min(depth, 1 + options.windowRadius);
    const { fixed, each } = lineThrough([layers, last], [depth, first]);
    return { seconds: first, line: { fixed: fixed / tokens, each: each / tokens } };
  };
  const quick = await measure(Math.min(2, all.length));
  return quick.seconds > LONG ? quick.line : (await measure(all.length)).line;
}

/** Questions whose pass says roughly how fast a model is. */
const PROBED = 8;

/** A rough guess at what a cell takes, from two passes over a few questions: forward passes by their tokens, and training at four times the cost. */
export async function roughSeconds(model: Decoder, cell: Cell, work: Work, signal: AbortSignal): Promise<number> {
  const prompts = (await promptsOf(model, cell)).slice(0, PROBED);
  const tokens = prompts.length * Math.max(...prompts.map(({ length }) => length));
  const pass = async () => {
    for await (const _ of generateTokens(model, prompts, { maxNewTokens: 1, stop: [], signal }));
  };
  const each = (await timed(pass)) / tokens;
  const trained = work.steps * work.batchesPerStep * work.batchTokens;
  const asked = (1 + work.epochs) * work.questions * (work.promptTokens + work.answerTokens);
  const { settings = [], depth = 0, questions = 0, tokens: ofOne = 0, stride = 1 } = work.restoration ?? {};
  return each * (4 * trained + asked + (settings.length * depth * questions * ofOne) / (2 * stride));
}

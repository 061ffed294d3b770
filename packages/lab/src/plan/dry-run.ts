import { type Decoder, generateTokens } from "@lethe/decoder";
import { type Device, sketchDevice } from "@lethe/tensor";
import {
  methodNamed,
  type QuestionBatch,
  questionBatch,
  type RecordedRun,
  runVanilla,
  type Setting,
  sweepRestoration,
  type UnlearnOptions,
  unlearn,
  unlearningDTypes,
} from "@lethe/unlearn";
import { DispatchLog, type KernelWork } from "../profile/kernel-costs.ts";
import { type Held, type LiveBytes, liveBytes, PeakLog } from "../profile/peak.ts";
import type { VanillaPlace } from "../subjects/vanilla/vanilla.ts";
import { type Part, partsOf, VALUES } from "./parts.ts";

/** The main job of a cell: a copy of a model unlearns, answers, and is restored. */
export interface Job {
  /** How the copy unlearns. Default: it does not. */
  readonly how?: (UnlearnOptions & { readonly method: string }) | undefined;
  /** The questions in tokens, those that are restored first. */
  readonly prompts: readonly (readonly number[])[];
  /** How many of them are restored. */
  readonly target: number;
  /** Tokens of an answer at most. */
  readonly answerTokens: number;
  /** What is restored. Default: nothing is. */
  readonly restoration?: Restoration | undefined;
  /** Where the vanilla model is. */
  readonly vanilla: VanillaPlace;
}

/** A sweep of restorations. */
export interface Restoration {
  readonly settings: readonly Setting[];
  readonly radius: number;
  readonly stride: number;
}

/**
 * The stages of a job whose work is counted, in their order. The first epoch has the reference model's passes before it; a later one does not.
 */
export const STAGES = ["copying", "prompts", "column", "first epoch", "answering", "epoch", "restoring"] as const;
export type Stage = (typeof STAGES)[number];

/** What a job takes on a device. */
export interface DryRun {
  /** The most bytes that the device holds. */
  readonly peak: number;
  /** When it holds them. */
  readonly at: Stage;
  /** What they are, the largest first. */
  readonly parts: readonly Part[];
  /** What the kernels of each stage have to do. */
  readonly work: readonly (KernelWork & { readonly stage: Stage })[];
}

/**
 * Does the training of a job on a sketch of its model: all that the job itself does, on a device that holds and computes nothing
 * (`sketchDevice`). So what is counted is what the job takes, whatever the recipe says. There are two epochs, each with all of the texts, and
 * of an answer the first two tokens; each further one takes as much as the second.
 * @param model of the job's sizes, on a device like the one that is planned for. It is not touched
 * @throws {LetheError} as the job itself, for options that are wrong
 */
export async function dryTraining(model: Decoder, job: Job): Promise<DryRun> {
  const train = (copy: Decoder, watch: Watch, reference?: Decoder) =>
    job.how
      ? trained(copy, job, { ...job.how, ...(reference && { reference }) }, watch)
      : answerAgain(copy, job, watch);
  if (job.vanilla === "streamed") {
    // It is asked before there is a copy, and is gone when that is trained.
    const asking = await counted(model, ["vanilla"], job, ({ vanilla }, watch) => answer(vanilla, job, watch));
    return afterEachOther(asking, await counted(model, ["copy"], job, ({ copy }, watch) => train(copy, watch)));
  }
  return counted(model, ["vanilla", "copy"], job, async ({ vanilla, copy }, watch) => {
    await answer(vanilla, job, watch);
    return train(copy, watch, vanilla);
  });
}

/** As {@link dryTraining}, the restoration of a job, if it has one. It is the same for all methods. */
export function dryRestoration(model: Decoder, job: Job): Promise<DryRun> {
  const streams = job.vanilla === "streamed";
  return counted(model, streams ? ["copy"] : ["vanilla", "copy"], job, ({ vanilla, copy }, watch) => {
    watch.begin("restoring");
    return restore(copy, job, (questions, settings) =>
      streams ? recordStreamed(model, questions, settings) : runVanilla(vanilla, questions, settings),
    );
  });
}

/** What two parts of a job take that come one after the other. */
export function afterEachOther(one: DryRun, other: DryRun): DryRun {
  return { ...(other.peak > one.peak ? other : one), work: [...one.work, ...other.work] };
}

/** The models that a part of a job may have on the device. One that it does not have is not to be used. */
interface Present {
  readonly vanilla: Decoder;
  readonly copy: Decoder;
}

/**
 * Does work on a sketch of its own, on which nothing is left of other work.
 * @param names of the models that are there
 * @param work may say what there is between two batches of a training
 */
async function counted(
  model: Decoder,
  names: readonly (keyof Present)[],
  { how }: Job,
  work: (models: Present, watch: Watch) => Promise<LiveBytes | undefined>,
): Promise<DryRun> {
  const device = sketchDevice(model.device.capabilities);
  try {
    const bytes = () => device.memory().bytesInUse;
    const vanilla = names.includes("vanilla") ? model.blank(device) : undefined;
    const ofVanilla = bytes();
    using watch = new Watch(device);
    watch.begin("copying");
    const dtypeOf = how ? unlearningDTypes(model, how) : () => "f32" as const;
    const copy = names.includes("copy") ? (vanilla?.copyIn(dtypeOf) ?? model.blank(device, dtypeOf)) : undefined;
    const labels = new Set(liveBytes(device).keys());
    const weights = { labels, vanilla: ofVanilla, trained: bytes() - ofVanilla };
    const resting = await work({ vanilla, copy } as Present, watch);
    const { peak } = watch;
    return {
      peak: peak.bytes,
      at: peak.stage as Stage,
      parts: partsOf(peak.live, weights, resting ?? new Map(), how?.recipe),
      work: watch.work as DryRun["work"],
    };
  } finally {
    device.destroy();
  }
}

/** Watches the memory and the work of a device, by stage. */
class Watch implements Disposable {
  readonly #peak: PeakLog;
  readonly #work: DispatchLog;

  constructor(device: Device) {
    this.#peak = new PeakLog(device);
    this.#work = new DispatchLog(device);
  }

  begin(stage: Stage): void {
    this.#peak.stage = stage;
    this.#work.stage = stage;
  }

  get peak(): Held {
    return this.#peak.peak;
  }

  get work(): KernelWork[] {
    return this.#work.work();
  }

  [Symbol.dispose](): void {
    this.#work[Symbol.dispose]();
    this.#peak[Symbol.dispose]();
  }
}

/** The first two tokens of every answer, with room for all. */
async function answer(model: Decoder, { prompts, answerTokens }: Job, watch: Watch): Promise<undefined> {
  watch.begin("prompts");
  let columns = 0;
  for await (const _ of generateTokens(model, prompts, { maxNewTokens: answerTokens, stop: [] })) {
    watch.begin("column");
    if (++columns === 2) return;
  }
}

/**
 * What a trained model's answers take beside what is there: a pass that checks answers of before. Those about the concept turn out to be wrong,
 * and go on in a cache of their own; the others are right, as unlearning wants it.
 */
async function answerAgain(model: Decoder, { prompts, target, answerTokens }: Job, watch: Watch): Promise<undefined> {
  watch.begin("answering");
  const answered = prompts.map((prompt) => [...prompt, ...Array<number>(answerTokens - 1).fill(0)]);
  const columns = Math.max(...answered.map(({ length }) => length));
  for await (const _ of generateTokens(model, answered, { maxNewTokens: answerTokens, stop: [] })) {
    using moved = model.newCache(target, columns + answerTokens - 1);
    moved.reserve(columns);
    return;
  }
}

/** @returns what there is between two batches */
async function trained(copy: Decoder, job: Job, wanted: NonNullable<Job["how"]>, watch: Watch): Promise<LiveBytes> {
  const { device } = copy;
  let resting: LiveBytes = new Map();
  const onMicroBatch = () => {
    resting = liveBytes(device);
  };
  const { method, recipe } = wanted;
  const how = {
    ...wanted,
    method: neverStopping(method),
    recipe: { ...recipe, epochs: 2, steps: null, stepsPerEpoch: null },
    onMicroBatch,
  };
  let epochs = 0;
  watch.begin("first epoch");
  for await (const _ of unlearn(copy, how)) {
    // The model answers beside what the training keeps.
    if (epochs++ === 0) await answerAgain(copy, job, watch);
    watch.begin("epoch");
  }
  return resting;
}

/** The method, without the rule by which it may end early: a sketch's losses are 0, which ends some. */
function neverStopping(name: string) {
  const { stops: _, ...method } = methodNamed(name);
  return method;
}

async function restore(
  unlearned: Decoder,
  { prompts, target, answerTokens, restoration }: Job,
  record: (questions: QuestionBatch, settings: readonly Setting[]) => RecordedRun,
): Promise<undefined> {
  if (!restoration) return;
  const answered = prompts.slice(0, target).map((prompt) => ({ prompt, answer: Array<number>(answerTokens).fill(0) }));
  using questions = questionBatch(unlearned.device, answered);
  using run = record(questions, restoration.settings);
  await sweepRestoration({ unlearned, questions, run, ...restoration });
}

/** What `streamVanilla` holds while it records a run of a model, and what it leaves: the value vectors of every layer, where they are wanted. */
function recordStreamed(model: Decoder, questions: QuestionBatch, settings: readonly Setting[]): RecordedRun {
  const { device } = questions.rows;
  using streamed = model.blankStreamed(device);
  const run = runVanilla(streamed, questions, settings);
  const wanted = settings.some(({ vanilla }) => vanilla.includes("W_V"));
  const values = [...Array(wanted ? model.config.num_hidden_layers : 0).keys()].map((layer) => {
    const { shape, dtype } = model.tensorAt("W_V", layer)!;
    return device.lasting(shape, dtype, VALUES);
  });
  return {
    ...run,
    tensorAt: (site, layer) => (site === "W_V" ? values[layer!] : run.tensorAt(site, layer)),
    [Symbol.dispose]() {
      run[Symbol.dispose]();
      for (const each of values) each.dispose();
    },
  };
}

import { type Decoder, generateTokens } from "@lethe/decoder";
import { type Device, sketchDevice } from "@lethe/tensor";
import {
  methodNamed,
  questionBatch,
  runVanilla,
  type Setting,
  sweepRestoration,
  type UnlearnOptions,
  unlearn,
} from "@lethe/unlearn";
import { DispatchLog, type KernelWork } from "../profile/kernel-costs.ts";
import { type Held, type LiveBytes, liveBytes, PeakLog } from "../profile/peak.ts";
import { type Part, partsOf } from "./parts.ts";

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
 * @param vanilla a blank model on a sketch, which holds nothing else. It stays
 * @throws {LetheError} as the job itself, for options that are wrong
 */
export function dryTraining(vanilla: Decoder, job: Job): Promise<DryRun> {
  return counted(vanilla, async (copy, watch) => {
    await answer(vanilla, job, watch);
    if (job.how) return train(copy, job, job.how, watch);
    await answerAgain(copy, job, watch);
    return new Map();
  });
}

/** As {@link dryTraining}, the restoration of a job, if it has one. It is the same for all methods. */
export function dryRestoration(vanilla: Decoder, job: Job): Promise<DryRun> {
  return counted(vanilla, async (copy, watch) => {
    watch.begin("restoring");
    await restore(vanilla, copy, job);
    return new Map();
  });
}

/**
 * Does work on a sketch of a model's own, on which nothing is left of another one: for the device of the model, or for the one of which the model
 * itself is a sketch.
 */
export async function onSketch<T>(model: Decoder, work: (vanilla: Decoder) => Promise<T>): Promise<T> {
  const device = sketchDevice(model.device.capabilities);
  try {
    using vanilla = model.blank(device);
    return await work(vanilla);
  } finally {
    device.destroy(); // What it recorded counts as the driver's until then.
  }
}

/** What two parts of a job take that come one after the other. */
export function afterEachOther(one: DryRun, other: DryRun): DryRun {
  return { ...(other.peak > one.peak ? other : one), work: [...one.work, ...other.work] };
}

/** @param work with a copy of the model. It returns what there is between two batches of a training, if there is one */
async function counted(vanilla: Decoder, work: (copy: Decoder, watch: Watch) => Promise<LiveBytes>): Promise<DryRun> {
  const { device } = vanilla;
  using watch = new Watch(device);
  const ofVanilla = device.memory().bytesInUse;
  watch.begin("copying");
  using copy = vanilla.copyInF32();
  const labels = new Set(liveBytes(device).keys());
  const weights = { labels, vanilla: ofVanilla, trained: device.memory().bytesInUse - ofVanilla };
  const resting = await work(copy, watch);
  const { bytes, live, stage } = watch.peak;
  return {
    peak: bytes,
    at: stage as Stage,
    parts: partsOf(live, weights, resting),
    work: watch.work as DryRun["work"],
  };
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
async function answer(model: Decoder, { prompts, answerTokens }: Job, watch: Watch): Promise<void> {
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
async function answerAgain(model: Decoder, { prompts, target, answerTokens }: Job, watch: Watch): Promise<void> {
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
async function train(copy: Decoder, job: Job, wanted: NonNullable<Job["how"]>, watch: Watch): Promise<LiveBytes> {
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

async function restore(vanilla: Decoder, unlearned: Decoder, job: Job): Promise<void> {
  const { prompts, target, answerTokens, restoration } = job;
  if (!restoration) return;
  const answered = prompts.slice(0, target).map((prompt) => ({ prompt, answer: Array<number>(answerTokens).fill(0) }));
  using questions = questionBatch(vanilla.device, answered);
  using run = runVanilla(vanilla, questions, restoration.settings);
  await sweepRestoration({ unlearned, questions, run, ...restoration });
}

import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { batchOf, type Decoder } from "@lethe/decoder";
import { type LlamaConfigInput, llama } from "@lethe/llama";
import { type Device, integerBelow, LetheError, randomOf } from "@lethe/tensor";
import {
  figure1,
  questionBatch,
  streamVanilla,
  sweepRestoration,
  type TrainingRecipe,
  unlearn,
  unlearningMemory,
} from "@lethe/unlearn";
import type { Stages } from "./stages.ts";

/** What is trained, and with how much memory. */
export interface LargeJob {
  readonly sizes: LlamaConfigInput;
  /** A name of `trainedPart`. */
  readonly trains: string;
  readonly memory: Pick<TrainingRecipe, "weights" | "optimiser">;
  readonly seed: number;
}

/** What the job finds out besides the stages. */
export interface LargeOutcome {
  /** Bytes of the model's weights on the device. */
  readonly weights: number;
  /** Bytes that the training was planned to take beside them. */
  readonly planned: number;
  /** loss* of the unlearned model, and loss_o* with each setting restored in the first layers. */
  readonly base: number;
  readonly restored: Readonly<Record<string, number>>;
}

/** Texts of each kind and their tokens, and the tokens of the one question and of its answer. */
const length = { texts: 2, text: 32, prompt: 16, answer: 8 };
/** Layers on either side of the window's centre, as in the paper. */
const radius = 2;
const maxShardBytes = 5e8;

/**
 * The main job at reduced length, on a model of random weights in bf16: it is written in several files and loaded, makes one step of Gradient
 * Difference, is swept with one window of each setting of Figure 1, and is saved and loaded again. The vanilla model is streamed from its
 * files, so one model at a time is on the device.
 * @throws {LetheError} when the step changes nothing, or the saved model computes other logits
 */
export async function runLarge(
  device: Device,
  directory: string,
  job: LargeJob,
  stages: Stages,
): Promise<LargeOutcome> {
  const { sizes, trains, memory, seed } = job;
  const [vanilla, unlearned] = [join(directory, "vanilla"), join(directory, "unlearned")];
  await stages.run("write", async () => {
    using random = llama.init(device, sizes, seed, undefined, "bf16");
    await random.save(vanilla, { maxShardBytes });
  });
  using model = await stages.run("load", () => loadModel(device, vanilla));
  const weights = [...model.weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);

  const random = randomOf(seed, "texts");
  const tokens = (count: number) => Array.from({ length: count }, () => integerBelow(sizes.vocab_size, random));
  const texts = () => Array.from({ length: length.texts }, () => tokens(length.text));
  const one = { warmupEpochs: 0, epochs: 1, steps: 1, batchSize: length.texts, gradientAccumulation: 1 };
  const recipe = { learningRate: 1e-3, ...one, ...memory };
  const how = { method: "graddiff", recipe, trains, forget: texts(), retain: texts(), seed };
  const planned = unlearningMemory(model, how).reduce((sum, { bytes }) => sum + bytes, 0);
  await stages.run("a step of Gradient Difference", async () => {
    for await (const _ of unlearn(model, how));
  });

  using questions = questionBatch(device, [{ prompt: tokens(length.prompt), answer: tokens(length.answer) }]);
  // One window: that of the first layer, which the whole model comes after.
  const windows = { radius, stride: sizes.num_hidden_layers };
  using run = await stages.run("record the vanilla model", () =>
    streamVanilla(vanilla, questions, { settings: figure1, windows }),
  );
  const { base, restored } = await stages.run("one window of each setting", () =>
    sweepRestoration({ unlearned: model, questions, run, settings: figure1, ...windows }),
  );
  if (!(base.paper[0]! > 0)) throw new LetheError("the step changed nothing: the logits are those of before");

  const before = await logitsOf(model, how.forget[0]!);
  await stages.run("save", () => model.save(unlearned, { maxShardBytes }));
  model.dispose();
  using saved = await stages.run("load what was saved", () => loadModel(device, unlearned));
  const after = await logitsOf(saved, how.forget[0]!);
  const other = before.findIndex((value, i) => value !== after[i]);
  if (other >= 0)
    throw new LetheError(
      `the saved model has ${after[other]} for logit ${other}, and before it was saved ${before[other]}`,
    );
  const losses = Object.entries(restored).map(([name, { paper }]) => [name, paper[0]![0]!] as const);
  return { weights, planned, base: base.paper[0]!, restored: Object.fromEntries(losses) };
}

async function logitsOf(model: Decoder, text: readonly number[]): Promise<Float32Array> {
  using batch = batchOf(model.device, [text]);
  using logits = model.forward(batch);
  return logits.read();
}

import {
  AdamW,
  linearDecay,
  type MicroBatch,
  type StepRecord,
  selectTrainable,
  train,
  trainingMemory,
} from "@lethe/autograd";
import type { Decoder, ForwardOptions } from "@lethe/decoder";
import { LetheError, ops, requireMemory, type Shape, type Tensor } from "@lethe/tensor";
import { type LabelledBatch, labelledBatch } from "../data/index.ts";
import { pairTexts, stepsOfEpoch, type TextPair } from "./batches.ts";
import { gradientDifference, npo, type Objective, type Role, referenceOf } from "./objectives/index.ts";
import type { TrainingRecipe } from "./recipe.ts";

/** What to unlearn, and how. */
export interface UnlearnOptions {
  readonly recipe: TrainingRecipe;
  /** Texts to be forgotten and to be kept, in tokens; cut at the recipe's `maxTokens`. */
  readonly forget: readonly (readonly number[])[];
  readonly retain: readonly (readonly number[])[];
  readonly seed: number;
  /** Called after each step. May throw to stop. */
  readonly onStep?: (record: StepRecord) => void;
}

/** Below this mean loss an epoch's loss prints as 0.0000, which is where the released code ends NPO. */
const zeroLoss = 5e-5;

/**
 * Trains a model in place to unlearn. Yields each epoch's step records once the epoch is done and waits to be asked for the
 * next, so that the model can be measured in between. The model as it is given is the frozen reference. NPO ends early when an
 * epoch's loss has fallen to 0.
 * @throws {NonFiniteError} when the loss or the gradient stops being finite
 * @throws {OutOfMemoryError} before anything is computed, when gradients and moments do not fit the device, with the bytes needed by part
 * @throws {LetheError} when there is no forget or no retain text, or a text has fewer than two tokens
 */
export async function* unlearn(model: Decoder, options: UnlearnOptions): AsyncGenerator<StepRecord[], void, void> {
  const { recipe, seed, onStep } = options;
  const { device } = model;
  const pairs = pairTexts(cut("forget", options), cut("retain", options), recipe.batchSize, seed);
  const objective = objectiveOf(recipe);
  const accumulation = { stepsPerEpoch: recipe.stepsPerEpoch, accumulation: recipe.gradientAccumulation };
  const stepsPerEpoch = stepsOfEpoch(pairs.length, accumulation, seed, 1).length;
  const totalSteps = recipe.epochs * stepsPerEpoch;
  const warmupSteps = Math.round(recipe.warmupEpochs * stepsPerEpoch);
  const schedule = linearDecay({ peak: recipe.learningRate, warmupSteps, totalSteps });

  const trainables = selectTrainable(model.weights);
  requireMemory(device, `unlearning ${model.label}`, trainingMemory(trainables));
  using references = referencesFor(model, objective, pairs);
  using optimiser = new AdamW(trainables, recipe);
  const microBatch = (index: number): MicroBatch => ({
    name: `text pair ${index + 1} of ${pairs.length}`,
    loss: (tape) => {
      const { ops } = tape;
      const wrap: ForwardOptions["wrapBlock"] = (_layer, x, run) => tape.checkpoint(x, run);
      const blocks = recipe.checkpointing ? { wrapBlock: wrap } : {};
      return objective.loss(ops, {
        forward: (batch: LabelledBatch) => model.forward(batch, { ops, ...blocks }),
        batches: upload(model, objective, pairs[index]!),
        reference: references.of(index),
      });
    },
  });
  for (let epoch = 1; epoch <= recipe.epochs; epoch++) {
    const steps = stepsOfEpoch(pairs.length, accumulation, seed, epoch).map((step) => step.map(microBatch));
    const records: StepRecord[] = [];
    for await (const record of train(device, { optimiser, schedule, steps })) {
      records.push(record);
      onStep?.(record);
    }
    yield records;
    const meanLoss = records.reduce((sum, { loss }) => sum + loss, 0) / records.length;
    if (objective.name === "npo" && meanLoss < zeroLoss) return;
  }
}

function objectiveOf({ objective }: TrainingRecipe): Objective {
  return objective.name === "npo" ? npo(objective) : gradientDifference(objective);
}

function cut(role: Role, { recipe, ...texts }: UnlearnOptions): readonly (readonly number[])[] {
  const sequences = texts[role].map((text) => text.slice(0, recipe.maxTokens));
  if (sequences.length === 0) throw new LetheError(`unlearn: there is no ${role} text`);
  const short = sequences.findIndex(({ length }) => length < 2);
  if (short >= 0)
    throw new LetheError(
      `unlearn: ${role} text ${short} has ${sequences[short]!.length} tokens; it needs at least two`,
    );
  return sequences;
}

function upload(model: Decoder, { roles }: Objective, pair: TextPair): { [R in Role]?: LabelledBatch } {
  return Object.fromEntries(roles.map((role) => [role, labelledBatch(model.device, pair[role])]));
}

interface References extends Disposable {
  of(pair: number): { readonly [R in Role]?: Tensor<Shape, "f32"> };
}

/** What the model says of each pair before it is trained, where the objective compares with it. */
function referencesFor(model: Decoder, objective: Objective, pairs: readonly TextPair[]): References {
  const kept = pairs.map((pair) => {
    using _scope = model.device.scope("reference model");
    const forward = (batch: LabelledBatch) => model.forward(batch);
    const quantities = referenceOf(ops, objective, { forward, batches: upload(model, objective, pair) });
    return Object.fromEntries(Object.entries(quantities).map(([role, tensor]) => [role, tensor.retain()]));
  });
  return {
    of: (pair) => kept[pair]!,
    [Symbol.dispose]() {
      for (const quantities of kept) for (const tensor of Object.values(quantities)) tensor.dispose();
    },
  };
}

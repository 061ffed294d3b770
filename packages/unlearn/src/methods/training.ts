import { AdamW, linearDecay, type MicroBatch, type StepRecord, type Trainable, train } from "@lethe/autograd";
import type { Decoder, ForwardOptions } from "@lethe/decoder";
import { type RoleTexts, stepsOfEpoch } from "./batches.ts";
import type { Objective } from "./method.ts";
import { lossOf, referencesOf } from "./passes.ts";
import type { TrainingRecipe } from "./recipe.ts";

/** What {@link trainEpochs} needs beside a model and an objective. */
export interface TrainingOptions {
  /** Texts of every role that the objective reads. */
  readonly batches: readonly RoleTexts[];
  readonly trainables: readonly Trainable[];
  readonly recipe: TrainingRecipe;
  readonly seed: number;
  readonly onStep?: ((record: StepRecord) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Trains by an objective, and yields the records of each epoch's steps. The model as it is before is the frozen reference. */
export async function* trainEpochs(
  model: Decoder,
  objective: Objective,
  { batches, trainables, recipe, seed, onStep, signal }: TrainingOptions,
): AsyncGenerator<StepRecord[], void, void> {
  const references = batches.map((batch) => referencesOf(model, objective, batch));
  const microBatch = (index: number): MicroBatch => ({
    name: `batch ${index + 1} of ${batches.length}`,
    loss: (tape) => {
      const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => tape.checkpoint(x, run);
      const options = { ops: tape.ops, ...(recipe.checkpointing && { wrapBlock }) };
      return lossOf(model, objective, { texts: batches[index]!, references: references[index]! }, options);
    },
  });
  try {
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = recipe;
    using optimiser = new AdamW(trainables, { beta1, beta2, epsilon, weightDecay, clipNorm });
    for (let epoch = 1; epoch <= recipe.epochs; epoch++) {
      const steps = stepsOfEpoch(batches.length, recipe, seed, epoch).map((step) => step.map(microBatch));
      const warmupSteps = Math.round(recipe.warmupEpochs * steps.length);
      const totalSteps = recipe.epochs * steps.length;
      const schedule = linearDecay({ peak: recipe.learningRate, warmupSteps, totalSteps });
      const records: StepRecord[] = [];
      for await (const record of train(model.device, { optimiser, schedule, steps, signal })) {
        records.push(record);
        onStep?.(record);
      }
      yield records;
    }
  } finally {
    for (const tensors of references) for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}

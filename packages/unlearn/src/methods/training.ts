import { AdamW, linearDecay, type MicroBatch, type StepRecord, type Trainable, train } from "@lethe/autograd";
import type { Decoder, ForwardOptions } from "@lethe/decoder";
import { type MemoryNeed, requireMemory } from "@lethe/tensor";
import { type RoleTexts, stepsOfEpoch, tokensOf } from "./batches.ts";
import type { Objective } from "./method.ts";
import { lossOf, type References, referencesOf } from "./passes.ts";
import type { TrainingRecipe } from "./recipe.ts";

/** What {@link trainEpochs} needs beside a model and an objective. */
export interface TrainingOptions {
  /** The texts of every role that the objective reads, in batches. */
  readonly batches: readonly RoleTexts[];
  readonly trainables: readonly Trainable[];
  readonly recipe: TrainingRecipe;
  readonly seed: number;
  /** The memory of all else than what the reference gives. */
  readonly memory: readonly MemoryNeed[];
  readonly onStep?: ((record: StepRecord) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Trains by an objective, and yields the records of each epoch's steps. The model as it is before is the frozen reference. */
export async function* trainEpochs(
  model: Decoder,
  objective: Objective,
  { batches, trainables, recipe, seed, memory, onStep, signal }: TrainingOptions,
): AsyncGenerator<StepRecord[], void, void> {
  const references: References[] = [];
  const microBatch = (index: number): MicroBatch => ({
    name: `batch ${index + 1} of ${batches.length}`,
    loss: (tape) => {
      const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => tape.checkpoint(x, run);
      const options = { ops: tape.ops, ...(recipe.checkpointing && { wrapBlock }) };
      return lossOf(model, objective, { texts: batches[index]!, references: references[index]! }, options);
    },
  });
  try {
    for (const [index, batch] of batches.entries()) {
      references.push(referencesOf(model, objective, batch));
      if (index === 0) requireReferences(model, batches, references[0]!, memory);
    }
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

/**
 * Checks that there is memory for what the frozen reference gives on every batch, from what it gave on the first.
 * @param memory of all else
 */
function requireReferences(
  model: Decoder,
  batches: readonly RoleTexts[],
  first: References,
  memory: readonly MemoryNeed[],
): void {
  const bytes = Object.values(first).reduce((sum, tensor) => sum + tensor.bytes, 0);
  const [known, ...rest] = batches.map(tokensOf) as [number, ...number[]];
  const needs = rest.map((tokens, i) => ({
    part: "what the reference model gives",
    name: `batch ${i + 2}`,
    bytes: model.device.pool.sizeOf((bytes * tokens) / known),
  }));
  if (bytes > 0)
    requireMemory(model.device, `unlearning ${model.label}`, [...needs, ...memory], "Take fewer or shorter texts.");
}

import {
  linearDecay,
  type MicroBatch,
  type MicroBatchProgress,
  makeOptimiser,
  type StepRecord,
  type Trainable,
  train,
  type WeightsName,
} from "@lethe/autograd";
import type { Decoder, ForwardOptions } from "@lethe/decoder";
import { type F32, LetheError, type MemoryNeed, type Ops, requireMemory, seedOf } from "@lethe/tensor";
import { lengthOf, type RoleTexts, stepsOfEpoch, tokensOf, usedBatches } from "./batches.ts";
import type { Objective } from "./method.ts";
import { computeReferences, lossOf } from "./passes.ts";
import type { TrainingRecipe } from "./recipe.ts";
import { referenceForm } from "./references/list.ts";
import { rolesOfUnknownSize } from "./references/memory.ts";
import type { SavedTraining, Saving } from "./state.ts";

/** How far a training is. */
export interface TrainingProgress {
  /** Optimiser steps that are done, with the share of the running one. */
  readonly done: number;
  /** Optimiser steps in all. */
  readonly of: number;
  /** Epochs in all. The recipe's `steps` may end the training in an earlier one than its `epochs`. */
  readonly epochs: number;
  /** Tokens of the micro-batch that was done last, padding included. */
  readonly tokens: number;
}

/** What {@link trainEpochs} needs beside a model and an objective. */
export interface TrainingOptions {
  /** The texts of every role that the objective reads, in batches. */
  readonly batches: readonly RoleTexts[];
  readonly trainables: readonly Trainable[];
  /** How they are kept. */
  readonly kept: WeightsName;
  /** Makes the arithmetic of the trained model's passes, where its weights alone do not decide what it computes. */
  readonly arithmetic?: (ops: Ops) => Ops;
  readonly recipe: TrainingRecipe;
  readonly seed: number;
  /** The frozen reference, where it runs while steps change the model. Default: the model as it is at that time. */
  readonly frozen?: Decoder | undefined;
  /** The memory of all else than what the reference gives in tensors of unknown size. */
  readonly memory: readonly MemoryNeed[];
  readonly onMicroBatch?: ((progress: TrainingProgress) => void) | undefined;
  readonly onStep?: ((record: StepRecord) => void) | undefined;
  readonly saving?: Saving | undefined;
  readonly from?: SavedTraining | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An epoch that is done. */
export interface TrainedEpoch {
  /** Of all its steps. */
  readonly records: StepRecord[];
  /** Whether it is the recipe's last. */
  readonly last: boolean;
}

/**
 * Trains by an objective, and yields each epoch when it is done. The model as it is before is the frozen reference, also where the training
 * goes on from a saved state.
 */
export async function* trainEpochs(
  model: Decoder,
  objective: Objective,
  {
    batches,
    trainables,
    kept,
    arithmetic,
    recipe,
    seed,
    frozen = model,
    memory,
    onMicroBatch,
    onStep,
    saving,
    from,
    signal,
  }: TrainingOptions,
): AsyncGenerator<TrainedEpoch, void, void> {
  const form = referenceForm(recipe.references);
  const references = form.open((index) => computeReferences(frozen, objective, batches[index]!));
  const microBatch = (index: number): MicroBatch => ({
    name: `batch ${index + 1} of ${batches.length}`,
    loss: (tape) => {
      const checkpoint = (x: F32, run: (x: F32) => F32) => tape.checkpoint(x, run);
      const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => checkpoint(x, run);
      const options = {
        ops: arithmetic?.(tape.ops) ?? tape.ops,
        checkpoint,
        ...(recipe.checkpointing && { wrapBlock }),
      };
      return lossOf(model, objective, { texts: batches[index]!, references: references.of(index) }, options);
    },
  });
  try {
    const used = usedBatches(batches.length, recipe, seed);
    for (const [place, index] of used.entries()) {
      references.prepare(index);
      await model.device.ready(signal);
      if (place > 0 || form.runsInTraining) continue;
      const unknown = rolesOfUnknownSize(objective).map((role) => references.of(index)[role]!);
      requireReferences(
        model,
        used.map((each) => batches[each]!),
        unknown.reduce((sum, { bytes }) => sum + bytes, 0),
        memory,
      );
    }
    const { beta1, beta2, epsilon, weightDecay, clipNorm } = recipe;
    using optimiser = makeOptimiser(recipe.optimiser ?? "adamw", trainables, {
      ...{ beta1, beta2, epsilon, weightDecay, clipNorm },
      ...{ weights: kept, seed: seedOf(seed, "rounding", "steps") },
    });
    const { perEpoch, total, epochs, warmup } = lengthOf(batches.length, recipe);
    const schedule = linearDecay({ peak: recipe.learningRate, warmupSteps: warmup, totalSteps: total });
    if (from) {
      requireFitting(from, perEpoch, total);
      await from.restore(optimiser.state());
      optimiser.resume(from.steps);
    }
    const save = (records: readonly StepRecord[]) =>
      saving!.save({ steps: optimiser.steps, of: total, records: [...records], tensors: optimiser.state() });
    const first = 1 + Math.floor(optimiser.steps / perEpoch);
    for (let epoch = first; epoch <= epochs; epoch++) {
      const before = (epoch - 1) * perEpoch;
      const planned = stepsOfEpoch(batches.length, recipe, seed, epoch).slice(0, total - before);
      const steps = planned.map((step) => step.map(microBatch));
      const report = ({ step, done, of }: MicroBatchProgress) => {
        references.release();
        const tokens = tokensOf(batches[planned[step - before - 1]![done - 1]!]!);
        onMicroBatch?.({ done: step - 1 + done / of, of: total, epochs, tokens });
      };
      const records = epoch === first ? [...(from?.records ?? [])] : [];
      // The caller has measured the model since the last epoch, which is worth keeping too.
      if (epoch > first && saving?.due()) await save(records);
      while (records.length < steps.length) {
        const part = untilDue(steps.slice(records.length), saving);
        const training = train(model.device, { optimiser, schedule, steps: part, signal, onMicroBatch: report });
        for await (const record of training) {
          records.push(record);
          onStep?.(record);
        }
        if (records.length < steps.length) await save(records);
      }
      yield { records, last: epoch === epochs };
    }
  } finally {
    references[Symbol.dispose]();
  }
}

/** Steps up to the one before which the state is to be saved. The first comes in any case. */
function* untilDue<T>(steps: readonly T[], saving?: Saving): Generator<T, void, void> {
  for (const [i, step] of steps.entries()) {
    if (i > 0 && saving?.due()) return;
    yield step;
  }
}

/** @throws {LetheError} when a saved state cannot be one of this training */
function requireFitting({ steps, of, records }: SavedTraining, stepsPerEpoch: number, totalSteps: number): void {
  if (of === totalSteps && steps < totalSteps && records.length === steps % stepsPerEpoch) return;
  throw new LetheError(
    `unlearn: from: it was saved at step ${steps} of ${of} with ${records.length} records of its epoch; this training has ` +
      `${totalSteps} steps, ${stepsPerEpoch} in an epoch. Go on with the options and texts of the training that was saved.`,
  );
}

/**
 * Checks that there is memory for what the frozen reference gives on every batch in tensors of unknown size, from what it gave on the first.
 * @param bytes of those of the first batch
 * @param memory of all else
 */
function requireReferences(
  model: Decoder,
  batches: readonly RoleTexts[],
  bytes: number,
  memory: readonly MemoryNeed[],
): void {
  const [known, ...rest] = batches.map(tokensOf) as [number, ...number[]];
  const needs = rest.map((tokens, i) => ({
    part: "what the reference model gives",
    name: `batch ${i + 2}`,
    bytes: model.device.pool.sizeOf((bytes * tokens) / known),
  }));
  if (bytes > 0)
    requireMemory(model.device, `unlearning ${model.label}`, [...needs, ...memory], "Take fewer or shorter texts.");
}

import type { Decoder } from "@lethe/decoder";
import type { Weight } from "@lethe/tensor";
import { roles, type SavedTraining, type Saving, type TrainingState } from "@lethe/unlearn";
import { z } from "zod";
import type { Answers, Watcher } from "./subject.ts";
import type { Unfinished } from "./unfinished.ts";

/** How many texts of a role are too short to be trained on; absent where none is. */
export const leftOutTexts = z.partialRecord(z.enum(roles), z.int().min(1)).optional();

/** An optimiser step as it stands in a cell's file. */
export const stepEntry = z.strictObject({
  epoch: z.int().min(1),
  loss: z.number(),
  gradientNorm: z.number().min(0),
  learningRate: z.number().min(0),
});

/** What is recorded of a training until now. */
export interface TrainingLog {
  /** Of the finished epochs. */
  readonly steps: z.infer<typeof stepEntry>[];
  /** After each finished epoch. */
  readonly answers: Answers[];
  /** What studies measured after each finished epoch. */
  readonly epochs: Readonly<Record<string, unknown>>[];
  leftOut?: z.infer<typeof leftOutTexts>;
}

const answer = z.looseObject({ text: z.string(), tokens: z.array(z.number()) });
const notes = z.strictObject({
  steps: z.array(stepEntry),
  answers: z.array(z.looseObject({ target: z.array(answer), unrelated: z.array(answer) })),
  epochs: z.array(z.record(z.string(), z.unknown())),
  leftOut: leftOutTexts,
  /** Where the training stands; null when it is finished. */
  training: z
    .strictObject({
      steps: z.int().min(1),
      of: z.int().min(1),
      records: z.array(stepEntry.omit({ epoch: true }).extend({ step: z.int().min(1) })),
    })
    .nullable(),
});

/** The beginning of a training, or where an earlier run left it. */
export interface TrainingStart {
  readonly log: TrainingLog;
  /** From where `unlearn` goes on. Default: the first step. */
  readonly from?: SavedTraining;
  /** Makes a copy of the vanilla model the trained one, where the earlier run had finished the training. */
  readonly finish?: (model: Decoder) => Promise<void>;
}

/** Takes up a training where an earlier run kept it, or begins it. */
export async function takeUpTraining(unfinished: Unfinished | undefined, watcher: Watcher): Promise<TrainingStart> {
  const kept = await unfinished?.load(notes);
  if (!kept) return { log: { steps: [], answers: [], epochs: [] } };
  const { training, ...recorded } = kept.notes;
  const log = recorded as unknown as TrainingLog;
  if (!training) {
    watcher.remark("the training was finished by an earlier run; goes on with its studies");
    return { log, finish: (model) => kept.restore(weightsOf(model)) };
  }
  watcher.remark(`goes on at step ${training.steps + 1} of ${training.of}`);
  return { log, from: { ...training, restore: (tensors) => kept.restore(tensors) } };
}

/**
 * Keeps a training's state while it runs, for `unlearn`.
 * @param onSave called before each save and after it
 */
export function keepingTraining(
  unfinished: Unfinished | undefined,
  log: TrainingLog,
  onSave: (training: Pick<TrainingState, "steps" | "of">, saved: boolean) => void,
): Saving | undefined {
  return (
    unfinished && {
      due: () => unfinished.due(),
      async save({ tensors, ...training }) {
        onSave(training, false);
        await unfinished.save({ ...log, training }, tensors);
        onSave(training, true);
      },
    }
  );
}

/** Keeps a finished training where that is worth its time, so that the studies can go on without training again. */
export async function keepFinished(
  unfinished: Unfinished | undefined,
  log: TrainingLog,
  model: Decoder,
): Promise<void> {
  if (unfinished?.due()) await unfinished.save({ ...log, training: null }, weightsOf(model));
}

/** A model's weights by name. A matrix under two names (tied embeddings) is there once. */
export function weightsOf({ weights }: Decoder): Map<string, Weight> {
  const byStorage = new Map([...weights].map(([name, weight]) => [weight.storage, [name, weight] as const]));
  return new Map(byStorage.values());
}

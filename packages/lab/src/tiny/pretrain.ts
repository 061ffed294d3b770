import {
  AdamW,
  type AdamWSettings,
  cosineDecay,
  type MicroBatch,
  type StepRecord,
  selectTrainable,
  train,
} from "@lethe/autograd";
import type { Decoder } from "@lethe/decoder";
import { fewLengths, ModelUseError } from "@lethe/decoder";
import { randomOf } from "@lethe/tensor";
import { batchesOf, type Concept, labelledBatch, unrelatedFactsOf } from "@lethe/unlearn";
import { pretrainingDocuments } from "./documents.ts";

/** How a tiny model is trained from scratch. */
export interface PretrainingRecipe extends Required<Omit<AdamWSettings, "decays" | "weights" | "seed">> {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Epochs over which the learning rate rises. After them it follows a cosine down to `floor` of its peak. */
  readonly warmupEpochs: number;
  readonly floor: number;
}

/** A step's record, with its epoch, counted from 1, and the number of all steps. */
export interface PretrainingStep extends StepRecord {
  readonly epoch: number;
  readonly totalSteps: number;
}

/**
 * Trains a model on the concepts' questions and paragraphs, each epoch in a new order with other paraphrases. Yields one record a
 * step; after the last one the model is trained. The same model, concepts and seed give the same bits on one adapter.
 * @throws {ModelUseError} when the model has no tokenizer or no end-of-text token
 */
export async function* pretrain(
  model: Decoder,
  concepts: readonly Concept[],
  recipe: PretrainingRecipe,
  seed: number,
): AsyncGenerator<PretrainingStep, void, void> {
  const { device, text } = model;
  const [end] = model.stopTokens;
  if (!text || end === undefined)
    throw new ModelUseError(`${model.label} needs a tokenizer and an end-of-text token to be trained on text`);
  const unrelated = unrelatedFactsOf(concepts);
  const epochs = await Promise.all(
    Array.from({ length: recipe.epochs }, async (_, epoch) => {
      const documents = pretrainingDocuments(concepts, unrelated, seed, epoch);
      const sequences = await Promise.all(documents.map(async (document) => [...(await text.encode(document)), end]));
      return batchesOf(sequences, { batchSize: recipe.batchSize, random: randomOf(seed, "batches", epoch) });
    }),
  );
  const stepEpochs = epochs.flatMap((batches, epoch) => batches.map(() => epoch + 1));
  const totalSteps = stepEpochs.length;

  const steps = epochs.flat().map((sequences, step): MicroBatch[] => [
    {
      name: `batch ${step + 1} of epoch ${stepEpochs[step]}`,
      loss({ ops }) {
        const batch = labelledBatch(device, sequences, { padTo: fewLengths });
        return model.losses(batch, batch.labels, { ops, reduction: "mean" });
      },
    },
  ]);

  const { learningRate: peak, floor } = recipe;
  const warmupSteps = stepEpochs.filter((epoch) => epoch <= recipe.warmupEpochs).length;
  const { beta1, beta2, epsilon, weightDecay, clipNorm } = recipe;
  using optimiser = new AdamW(selectTrainable(model.weights), { beta1, beta2, epsilon, weightDecay, clipNorm });
  const schedule = cosineDecay({ peak, floor, warmupSteps, totalSteps });
  for await (const record of train(device, { optimiser, schedule, steps }))
    yield { ...record, epoch: stepEpochs[record.step - 1]!, totalSteps };
}

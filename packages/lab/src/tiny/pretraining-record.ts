import { folderOf, type ModelPlace } from "@lethe/decoder";
import { parseJson } from "@lethe/tensor";
import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import type { PretrainingRecipe } from "./pretrain.ts";

/** The file in a model's directory that says how it was trained from scratch. It is no part of what identifies the model. */
export const PRETRAINING_FILE = "pretraining.json";

const count = z.int().min(1);
const share = z.number().min(0).max(1);

/** How a model was trained from scratch: all that {@link pretrain} was given beside the model's shape and its tokenizer. */
export const pretrainingSchema = z.strictObject({
  seed: z.int().min(0),
  recipe: z.strictObject({
    epochs: count,
    batchSize: count,
    learningRate: z.number().positive(),
    warmupEpochs: z.number().min(0),
    floor: share,
    beta1: share,
    beta2: share,
    epsilon: z.number().positive(),
    weightDecay: z.number().min(0),
    clipNorm: z.number().positive(),
  }) satisfies z.ZodType<PretrainingRecipe>,
  /** The SHA-256 of the concepts. */
  data: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Pretraining = z.infer<typeof pretrainingSchema>;

/**
 * Reads how a model was trained.
 * @param model a directory, or a model's name on the Hugging Face Hub
 * @returns undefined where its directory does not say it
 * @throws ExperimentError when the file is not such a record
 */
export async function readPretraining(model: ModelPlace): Promise<Pretraining | undefined> {
  const source = await (await folderOf(model)).open(PRETRAINING_FILE);
  if (!source) return undefined;
  try {
    const text = new TextDecoder().decode(await source.read(0, source.size));
    const { data, error } = pretrainingSchema.safeParse(parseJson(text));
    if (data) return data;
    throw new ExperimentError(`${source.name}: ${z.prettifyError(error).split("\n").slice(0, 4).join(" ")}`);
  } finally {
    await source.close?.();
  }
}

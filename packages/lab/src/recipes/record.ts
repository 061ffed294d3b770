import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import { modelReference } from "../subjects/subject.ts";
import { recipeChanges } from "./fields.ts";

const rate = z.number().positive();
const share = z.number().min(0).max(1);
const settings = z.record(z.string(), z.unknown());

/** One learning rate that was tried, from the vanilla model. */
const trySchema = z.union([
  z.strictObject({
    learningRate: rate,
    /** Mean BLEU against the vanilla model's answers: of the vanilla model itself, then after each epoch. */
    bleu: z.strictObject({ target: z.array(share).min(2), unrelated: z.array(share).min(2) }),
    /** The loss at each step. */
    losses: z.array(z.number()),
  }),
  /** The training broke down: a loss, a gradient or a logit was not finite. */
  z.strictObject({ learningRate: rate, failed: z.string() }),
]);
export type RateTry = z.infer<typeof trySchema>;

/** How a learning rate was found. */
const evidenceSchema = z.strictObject({
  command: z.string(),
  adapter: z.string(),
  concept: z.string(),
  seed: z.int(),
  /** The questions, and the recipe and the options of the method that all tries have in common. */
  evaluation: settings,
  training: settings,
  options: settings,
  /** BLEU on the target questions that was to be reached, or less. */
  targetBleu: share,
  tries: z.array(trySchema).min(1),
  chosen: rate,
  /** Whether the chosen rate reaches the target. */
  reached: z.boolean(),
});
export type RateEvidence = z.infer<typeof evidenceSchema>;

/** What was found for one model: for each method, the fields of its recipe that differ from the defaults, and how they were found. */
export const recordSchema = z.strictObject({
  /** A model is known by its hash. The name is for people. */
  model: modelReference,
  /** A note says why a recipe has another rate than the one that its evidence chose. */
  methods: z.record(
    z.string(),
    z.strictObject({ recipe: recipeChanges, evidence: evidenceSchema, note: z.string().optional() }),
  ),
});
export type RecipeRecord = z.infer<typeof recordSchema>;

/**
 * A record of its text.
 * @param where names the file in messages
 * @throws ExperimentError when it is no record
 */
export function parseRecord(text: string, where: string): RecipeRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ExperimentError(`${where} is no recipe on record: ${(error as Error).message}`);
  }
  const { data, error } = recordSchema.safeParse(value);
  if (data) return data;
  throw new ExperimentError(`${where} is no recipe on record:\n${z.prettifyError(error)}`);
}

import { ALIGNMENTS, type Alignment, krs, SETTINGS, type Setting } from "@lethe/unlearn";
import { z } from "zod";
import { PRESETS, RECIPES } from "./presets.ts";

/** The format of a result file. Raised whenever a file of the old format could be misread. */
export const CELL_VERSION = 1;

const loss = z.number().min(0);
const share = z.number().min(0).max(1);
const count = z.number().int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const conceptReference = z.strictObject({
  id: z.union([z.number().int(), z.string()]),
  name: z.string().min(1),
  sha256,
});

const objective = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("graddiff"), retain: z.enum(["nll", "kl"]), retainWeight: z.number() }),
  z.strictObject({ name: z.literal("npo"), beta: z.number() }),
]);

/** All that decides a cell's result: with the same configuration on the same adapter the file comes out byte for byte the same. */
export const cellConfigSchema = z.strictObject({
  preset: z.enum(PRESETS),
  seed: z.number().int().min(0),
  model: z.strictObject({ name: z.string().min(1), sha256 }),
  concept: conceptReference,
  retain: conceptReference,
  recipe: z.enum(RECIPES),
  training: z.strictObject({
    objective,
    learningRate: z.number().positive(),
    warmupEpochs: z.number().min(0),
    epochs: count,
    stepsPerEpoch: count.nullable(),
    batchSize: count,
    gradientAccumulation: count,
    maxTokens: count,
    checkpointing: z.boolean(),
    beta1: share,
    beta2: share,
    epsilon: z.number().positive(),
    weightDecay: z.number().min(0),
    clipNorm: z.number().positive(),
  }),
  evaluation: z.strictObject({
    targetQuestions: count,
    unrelatedQuestions: count,
    maxAnswerTokens: count,
    windowRadius: z.number().int().min(0),
    examples: z.number().int().min(0),
  }),
});
export type CellConfig = z.infer<typeof cellConfigSchema>;

const example = z.strictObject({
  question: z.string(),
  /** The data's own answer, null where the data has none. */
  expected: z.string().nullable(),
  before: z.string(),
  after: z.string(),
});

/** The share of exact answers from which a vanilla model counts as knowing its questions. */
export const KNOWN_FROM = 0.98;

/** What a study measures besides the restorations. */
const measuredShape = {
  /** The share of questions that the vanilla model answers with exactly the data's answer; null where the data has no answers. */
  vanilla: z.strictObject({ targetExact: share.nullable(), unrelatedExact: share.nullable() }),
  /** One entry an optimiser step. */
  steps: z
    .array(
      z.strictObject({
        epoch: count,
        loss: z.number(),
        gradientNorm: z.number().min(0),
        learningRate: z.number().min(0),
      }),
    )
    .min(1),
  /** Mean sentence BLEU against the vanilla model's answers; entry 0 is before unlearning, entry e after epoch e. */
  bleu: z.strictObject({ target: z.array(share).min(2), unrelated: z.array(share).min(2) }),
  examples: z.strictObject({ target: z.array(example), unrelated: z.array(example) }),
};

const losses = z.array(loss).min(1);
const alignedBase = z.strictObject({ paper: losses, released: losses });
const layers = z.array(losses).min(1);
const curve = z.strictObject({
  /** KRS with the window centred on layer 0, 1, …; see {@link krs} for the two aggregations. */
  ratioOfMeans: z.array(z.number()).min(1),
  meanOfRatios: z.array(z.number()).min(1),
  /** What both are computed from: per centre layer, the loss of each question. */
  losses: layers,
});
const alignedCurve = z.strictObject({ paper: curve, released: curve });
const alignedLayers = z.strictObject({ paper: layers, released: layers });

/**
 * What a study hands over for one cell. `restoration` holds per-question losses, each the mean squared difference from the vanilla
 * model's logits over the answer's positions and the vocabulary: of the unlearned model (`base`), and with each setting restored
 * around each centre layer.
 */
export const measurementsSchema = z.strictObject({
  ...measuredShape,
  restoration: z.strictObject({
    base: alignedBase,
    restored: z.strictObject({ m: alignedLayers, W_V: alignedLayers, A: alignedLayers, "m+A": alignedLayers }),
  }),
});
export type CellMeasurements = z.infer<typeof measurementsSchema>;

/** One result file, `<out>/cells/<model>--<concept>--<method>.json`. */
const wellFormed = z.strictObject({
  version: z.literal(CELL_VERSION),
  config: cellConfigSchema,
  ...measuredShape,
  restoration: z.strictObject({
    base: alignedBase,
    curves: z.strictObject({ m: alignedCurve, W_V: alignedCurve, A: alignedCurve, "m+A": alignedCurve }),
  }),
});
export type CellResult = z.infer<typeof wellFormed>;

/** Checks a result file's fields, and then that they agree with each other. */
export const cellResultSchema = wellFormed.transform((result, context) => {
  for (const problem of inconsistencies(result)) context.addIssue({ code: "custom", message: problem });
  return result;
});

/**
 * A cell's result file from its configuration and what was measured: adds the recovery scores.
 * @throws MetricError when a score is undefined, ZodError when a number is not finite or lists do not match in length
 */
export function assembleCell(config: CellConfig, measurements: CellMeasurements): CellResult {
  const { restoration, ...measured } = measurementsSchema.parse(measurements);
  const { base, restored } = restoration;
  const scored = (setting: Setting, alignment: Alignment) => {
    const perLayer = restored[setting][alignment];
    const scores = perLayer.map((layer) => krs(base[alignment], layer));
    return {
      ratioOfMeans: scores.map((score) => score.ratioOfMeans),
      meanOfRatios: scores.map((score) => score.meanOfRatios),
      losses: perLayer,
    };
  };
  const aligned = (setting: Setting) => ({ paper: scored(setting, "paper"), released: scored(setting, "released") });
  const curves = { m: aligned("m"), W_V: aligned("W_V"), A: aligned("A"), "m+A": aligned("m+A") };
  return cellResultSchema.parse({ version: CELL_VERSION, config, ...measured, restoration: { base, curves } });
}

/** Stored scores are rounded to nine digits, and so are the losses they can be computed from again. */
const SCORE_TOLERANCE = 1e-6;

/** What a file can get wrong although each field by itself is well-formed. */
function* inconsistencies({ bleu, config, restoration }: CellResult): Generator<string> {
  if (bleu.target.length !== bleu.unrelated.length || bleu.target.length > config.training.epochs + 1) {
    yield `BLEU has ${bleu.target.length} target and ${bleu.unrelated.length} unrelated entries for ${config.training.epochs} epochs`;
  }
  const depth = restoration.curves.m.paper.losses.length;
  const questions = restoration.base.paper.length;
  for (const alignment of ALIGNMENTS) {
    const base = restoration.base[alignment];
    if (base.length !== questions) yield `base losses (${alignment}) cover ${base.length} of ${questions} questions`;
    for (const setting of SETTINGS) {
      const curve = restoration.curves[setting][alignment];
      const where = `curve of ${setting} (${alignment})`;
      const lengths = [curve.losses.length, curve.ratioOfMeans.length, curve.meanOfRatios.length];
      if (lengths.some((length) => length !== depth)) {
        yield `${where} has ${lengths.join(", ")} layers in its lists, not ${depth}`;
        continue;
      }
      for (const [layer, layerLosses] of curve.losses.entries()) {
        if (layerLosses.length !== base.length) {
          yield `${where} has ${layerLosses.length} losses at layer ${layer}, not ${base.length}`;
          continue;
        }
        if (base.includes(0)) {
          yield `base losses (${alignment}) hold a 0, so no score can be computed`;
          continue;
        }
        const expected = krs(base, layerLosses);
        for (const aggregation of ["ratioOfMeans", "meanOfRatios"] as const) {
          const stored = curve[aggregation][layer]!;
          if (Math.abs(stored - expected[aggregation]) > SCORE_TOLERANCE * Math.max(1, Math.abs(stored))) {
            yield `${where} says ${aggregation} ${stored} at layer ${layer}, its losses say ${expected[aggregation]}`;
          }
        }
      }
    }
  }
}

import { randomOf } from "@lethe/tensor";
import { figure1, recipeSchema, type Setting, type SettingName, type WeightComparison } from "@lethe/unlearn";
import { CELL_VERSION, type CellConfig, type CellResult, configSchema } from "../src/cells/cell.ts";
import { presets } from "../src/cells/presets.ts";
import { mean } from "../src/report/panels.ts";
import type { DepthResult } from "../src/studies/depth/schema.ts";
import { studies } from "../src/studies/list.ts";
import type { RestorationOptions } from "../src/studies/restoration/schema.ts";
import { fakeUnpact } from "./fake-unpact.ts";

const QUESTIONS = 4;

/** A configuration as the tiny models' cells have it. */
export function fakeConfig(
  concept = "Harry Potter",
  method = "graddiff",
  model = "tiny-llama",
  settings: readonly Setting[] = figure1,
  others: Readonly<Record<string, object>> = {},
): CellConfig {
  const tiny = { stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false };
  return configSchema(studies).parse({
    seed: 0,
    model: { name: model, sha256: "a".repeat(64) },
    concept: { id: concept.length, name: concept, sha256: "b".repeat(64) },
    evaluation: {
      ...presets.default.evaluation,
      targetQuestions: QUESTIONS,
      unrelatedQuestions: 5,
      prompt: "qa",
      judge: { name: "keywords", threshold: 0.5 },
      known: false,
    },
    subject: {
      kind: "unlearned",
      method,
      options: {},
      retain: { id: 99, name: "Star Wars", sha256: "c".repeat(64) },
      training: recipeSchema.parse({ learningRate: 5e-4, epochs: presets.default.epochs, ...tiny }),
    },
    studies: {
      restoration: { settings: settings.map(({ name }) => name) },
      ...others,
    },
  });
}

/** A made-up result. */
export function fakeResult(...names: Parameters<typeof fakeConfig>) {
  const config = fakeConfig(...names);
  return { version: CELL_VERSION, config, ...fakeMeasurements(config) } satisfies CellResult;
}

/** The heights at which a tiny model's curves were found, so that figures made of fakes look like figures. */
const SHAPES: Record<SettingName, number[]> = {
  m: [0.46, 0.48, 0.49, 0.14, 0.15, 0.15, 0.17, 0.24, 0.32, 0.5, 0.49, 0.46],
  W_V: [0.17, 0.18, 0.2, 0.09, 0.08, 0.09, 0.09, 0.11, 0.13, 0.16, 0.14, 0.12],
  A: [0.34, 0.43, 0.51, 0.41, 0.45, 0.48, 0.47, 0.54, 0.49, 0.55, 0.45, 0.42],
  "m+A": [0.55, 0.65, 0.71, 0.51, 0.53, 0.55, 0.56, 0.66, 0.68, 0.83, 0.77, 0.74],
  "m-isolated": [0.12, 0.13, 0.13, 0.03, 0.03, 0.03, 0.06, 0.14, 0.27, 0.52, 0.51, 0.48],
  "W_V-isolated": [0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.03, 0.05, 0.07, 0.12, 0.11, 0.1],
  "A-isolated": [0.01, 0.05, 0.09, 0.12, 0.14, 0.25, 0.22, 0.29, 0.32, 0.4, 0.31, 0.3],
};

function allKnown(questions: number) {
  return { asked: questions, judged: questions, right: questions, silent: 0, unknown: 0, compared: questions };
}

/** Made-up log-probabilities by layer: the concept's answers lose more than the others, and more after late layers. */
export function fakeDepth(random: () => number, loss = 1): DepthResult {
  const layers = SHAPES.m.map((_, layer) => layer);
  const measured = (lost: number) => {
    const tokens = Array.from({ length: QUESTIONS }, (_, question) => 1 + question);
    const lens = (sharpness: number) =>
      layers.map((layer) => tokens.map(() => Math.fround((-1.5 * (12 - layer)) / 12 - sharpness - 0.1 * random())));
    const first = (share: number) => layers.map(() => tokens.map(() => share));
    const vanilla = lens(0);
    const patched = layers.map((layer) =>
      vanilla.at(-1)!.map((logProb) => Math.fround(logProb - lost * (layer / 12) ** 2 - 0.05 * random())),
    );
    return {
      tokens,
      patched,
      lens: {
        vanilla: { logProb: vanilla, first: first(1) },
        subject: { logProb: lens(lost / 2), first: first(0.75) },
      },
    };
  };
  return { depth: layers.length, layers, target: measured(loss), unrelated: measured(loss / 10) };
}

/** Made-up measurements of a cell with the restoration study and, where it is wanted, the weights study, the same for the same configuration. */
export function fakeMeasurements(config: CellConfig) {
  const { subject: chosen } = config;
  if (chosen.kind !== "unlearned") throw new Error("only unlearned subjects are made up");
  const { settings = [] } = (config.studies.restoration ?? {}) as Partial<RestorationOptions>;
  const name = `${config.model.name}/${config.concept.name}/${chosen.method}/${config.seed}`;
  const random = randomOf(name);
  const { epochs, stepsPerEpoch, learningRate } = chosen.training;
  const base = () => Array.from({ length: QUESTIONS }, () => Math.fround(2 + 3 * random()));
  const baseLosses = { paper: base(), released: base() };
  const restore = (setting: SettingName, alignment: "paper" | "released") =>
    SHAPES[setting].map((krs) => {
      const shift = 0.08 * (random() - 0.5);
      return baseLosses[alignment].map((loss) =>
        Math.fround(loss * Math.max(0, 1 - krs + shift + 0.1 * (random() - 0.5))),
      );
    });
  const restored = (setting: SettingName) => {
    return { paper: restore(setting, "paper"), released: restore(setting, "released") };
  };
  const decline = (from: number, rate: number) =>
    Array.from({ length: epochs + 1 }, (_, epoch) =>
      epoch === 0 ? 1 : Math.min(1, from + (1 - from) * Math.exp(-rate * (epoch - 1))),
    );
  const steps = epochs * (stepsPerEpoch ?? 4);
  const examples = (kind: string) =>
    Array.from({ length: config.evaluation.examples }, (_, i) => ({
      question: `Question ${i} on ${kind} <b>&</b>?`,
      expected: i === 0 ? null : `The answer ${i} of ${config.concept.name}.`,
      before: `The answer ${i} of ${config.concept.name}.`,
      after: i === 1 ? "" : "the the <script>alert(1)</script> the",
    }));
  return {
    subject: {
      texts: { documents: null, paragraphs: 16, words: 320 },
      vanilla: { target: allKnown(QUESTIONS), unrelated: allKnown(5) },
      bleu: { target: decline(0.02, 0.9), unrelated: decline(0.4 + 0.3 * random(), 0.3) },
      examples: { target: examples("target"), unrelated: examples("unrelated") },
      change: {
        loss: mean(baseLosses.paper),
        weights: {
          "lm_head.weight": { change: 0.1 + random(), vanilla: 9 },
          "model.norm.weight": { change: 0, vanilla: 4 },
        },
      },
      steps: Array.from({ length: steps }, (_, step) => ({
        epoch: 1 + Math.floor((step * epochs) / steps),
        loss: Math.fround(2 - 6 * (step / steps) ** 1.5 + 0.5 * random()),
        gradientNorm: Math.fround(0.5 + random()),
        learningRate: learningRate * (1 - step / steps),
      })),
    },
    studies: {
      restoration: {
        depth: SHAPES.m.length,
        centres: SHAPES.m.map((_, layer) => layer),
        base: baseLosses,
        restored: Object.fromEntries(settings.map((name) => [name, restored(name)])) as Record<
          SettingName,
          ReturnType<typeof restored>
        >,
      },
      ...("depth" in config.studies && { depth: fakeDepth(random) }),
      ...("weights" in config.studies && { weights: { weights: fakeWeights(random) } }),
      ...("unpact" in config.studies && { unpact: fakeUnpact(random) }),
    },
  };
}

/** Made-up measurements of the noise control of a made-up unlearned model. */
export function fakeNoise(config: CellConfig) {
  const { subject: chosen, seed } = config;
  if (chosen.kind !== "noise") throw new Error("only noise is a made-up control");
  const { subject, studies } = fakeMeasurements({ ...config, subject: chosen.matches, seed: seed + 1000 });
  const { steps: _, bleu, change, ...rest } = subject;
  const ends = (scores: readonly number[]) => [1, scores.at(-1)!];
  return {
    subject: {
      ...rest,
      bleu: { target: ends(bleu.target), unrelated: ends(bleu.unrelated) },
      change,
      factor: 20,
      matchedLoss: change.loss,
    },
    studies,
  };
}

/** Made-up sums and norms of a model's weights. */
function fakeWeights(random: () => number): WeightComparison[] {
  const inBlock = ["q", "k", "v", "o"].map((name) => `self_attn.${name}_proj`);
  const modules = [...inBlock, "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "input_layernorm"];
  const names = SHAPES.m.flatMap((_, layer) => modules.map((module) => `model.layers.${layer}.${module}.weight`));
  return ["model.embed_tokens.weight", ...names, "model.norm.weight", "lm_head.weight"].map((name) => {
    const vector = name.includes("norm");
    const change = vector ? 1e-6 * random() : 0.01 * random();
    const spectral = vector ? null : { vanilla: 2, change: Math.sqrt(change / 5) };
    return { name, shape: vector ? [64] : [64, 64], vanilla: 64, unlearned: 64 + change / 2, change, spectral };
  });
}

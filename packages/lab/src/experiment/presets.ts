import type { ObjectiveRecipe, TrainingRecipe } from "@lethe/unlearn";
import type { ModelKind } from "./model-kind.ts";

/** The unlearning methods an experiment can use: Gradient Difference (Liu et al. 2022) and Negative Preference Optimization (Zhang et al. 2024). */
export const METHODS = ["graddiff", "npo"] as const;
export type Method = (typeof METHODS)[number];

/** What is measured on each model. */
export interface EvaluationRecipe {
  /** Questions of the concept: BLEU after each epoch, and KRS. */
  readonly targetQuestions: number;
  /** Questions about other things: BLEU after each epoch. */
  readonly unrelatedQuestions: number;
  /** Greedy answers end at this length unless the model ends them before. */
  readonly maxAnswerTokens: number;
  /** A component is restored in the centre layer and in this many layers on either side, clipped at the ends. */
  readonly windowRadius: number;
  /** Questions of each kind whose answers are kept in the result, word for word. */
  readonly examples: number;
}

export const PRESETS = ["smoke", "default", "paper"] as const;
export type PresetName = (typeof PRESETS)[number];

/** The breadth of an experiment; how fast it learns is the recipe's matter. */
export interface Preset {
  readonly description: string;
  /** Concept names, of which a model takes those that its data file holds; or every concept of the file. */
  readonly concepts: readonly string[] | "all";
  readonly methods: readonly Method[];
  readonly epochs: number;
  readonly evaluation: EvaluationRecipe;
}

/** Ten and fifty questions a concept, answers of up to 30 tokens, windows of five layers: the paper's numbers. */
const PAPER_EVALUATION: EvaluationRecipe = {
  targetQuestions: 10,
  unrelatedQuestions: 50,
  maxAnswerTokens: 30,
  windowRadius: 2,
  examples: 3,
};

/** The most that the paper trains for. */
const PAPER_EPOCHS = 10;

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: {
    description: "one concept a model, both methods, few epochs and questions: does everything run?",
    concepts: ["Harry Potter"],
    methods: METHODS,
    epochs: 5,
    evaluation: { ...PAPER_EVALUATION, targetQuestions: 5, unrelatedQuestions: 5 },
  },
  default: {
    description: "two concepts a model, both methods: a figure in minutes",
    concepts: ["Harry Potter", "Netflix", "EBay"],
    methods: METHODS,
    epochs: PAPER_EPOCHS,
    evaluation: PAPER_EVALUATION,
  },
  paper: {
    description: "every concept of the data file (the paper's ten), both methods",
    concepts: "all",
    methods: METHODS,
    epochs: PAPER_EPOCHS,
    evaluation: PAPER_EVALUATION,
  },
};

const OBJECTIVES: Readonly<Record<Method, ObjectiveRecipe>> = {
  graddiff: { name: "graddiff", retain: "nll", retainWeight: 1.5 },
  npo: { name: "npo", beta: 0.1 },
};

/** What the released code leaves to the Hugging Face Trainer's defaults, and its own constants. */
const SHARED = {
  warmupEpochs: 1,
  batchSize: 4,
  maxTokens: 500,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
} as const;

/** For a model of a million parameters: at most 40 steps in ten epochs, which bring mean BLEU on the target to about 0.1 or below. */
const TINY = { ...SHARED, stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false } as const;

export const RECIPES = ["tiny-llama", "tiny-olmo", "released"] as const;
export type RecipeName = (typeof RECIPES)[number];

const recipes: Readonly<
  Record<
    RecipeName,
    {
      learningRate: Readonly<Record<Method, number>>;
      training: Omit<TrainingRecipe, "objective" | "learningRate" | "epochs">;
    }
  >
> = {
  "tiny-llama": { learningRate: { graddiff: 5e-4, npo: 8e-4 }, training: TINY },
  "tiny-olmo": { learningRate: { graddiff: 8e-4, npo: 1.4e-3 }, training: TINY },
  // For models of billions: the settings of the released training code, at the low end of its learning rates (1e-5 to 5e-5).
  released: {
    learningRate: { graddiff: 1e-5, npo: 1e-5 },
    training: { ...SHARED, stepsPerEpoch: null, gradientAccumulation: 8, checkpointing: true },
  },
};

/** Below this width a model needs a tiny recipe's larger learning rates. */
const TINY_WIDTH = 512;

/**
 * The recipe a model is trained with. It goes by the model's width, because one learning rate cannot serve all: 5e-4 wrecks a
 * 7B model and 1e-5 leaves a tiny one as it was. Among tiny models an OLMo needs more than a LLaMA.
 */
export function recipeFor({ family, width }: ModelKind): RecipeName {
  return width < TINY_WIDTH ? `tiny-${family}` : "released";
}

/** The complete training settings of a method under a recipe. */
export function trainingRecipe(recipe: RecipeName, method: Method, epochs: number): TrainingRecipe {
  const { learningRate, training } = recipes[recipe];
  return { objective: OBJECTIVES[method], learningRate: learningRate[method], epochs, ...training };
}

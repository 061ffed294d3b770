import type { Breadth } from "./evaluation.ts";

export const PRESETS = ["smoke", "default", "paper"] as const;
export type PresetName = (typeof PRESETS)[number];

/** The breadth of an experiment. Learning rates belong to a method and a model. */
export interface Preset {
  readonly description: string;
  /** Names of concepts, or all that a model's data file holds. A name that the file does not hold is skipped. */
  readonly concepts: readonly string[] | "all";
  /** For each kind of subject, the values of its option. */
  readonly subjects: Readonly<Record<string, readonly string[]>>;
  /** Names of studies. */
  readonly studies: readonly string[];
  readonly epochs: number;
  readonly evaluation: Breadth;
}

/** The paper's two methods, and its numbers: ten epochs at most, ten and fifty questions a concept, answers of up to 30 tokens. */
const PAPER = {
  subjects: { unlearned: ["graddiff", "npo"] },
  studies: ["restoration"],
  epochs: 10,
  evaluation: { targetQuestions: 10, unrelatedQuestions: 50, leastQuestions: 3, maxAnswerTokens: 30, examples: 3 },
};

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: {
    ...PAPER,
    description: "one concept a model, both methods, few epochs and questions: does everything run?",
    concepts: ["Harry Potter"],
    epochs: 5,
    evaluation: { ...PAPER.evaluation, targetQuestions: 5, unrelatedQuestions: 5 },
  },
  default: {
    ...PAPER,
    description: "two concepts a model, both methods: a figure in minutes",
    concepts: ["Harry Potter", "Netflix", "EBay"],
  },
  paper: { ...PAPER, description: "every concept of the data file (the paper's ten), both methods", concepts: "all" },
};

import { emphases, figure1, settings } from "@lethe/unlearn";
import { OTHER_ATTRIBUTIONS } from "../studies/unpact/options.ts";
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
  /** Kinds of controls for the unlearned models. */
  readonly controls: readonly string[];
  /** Names of studies. */
  readonly studies: readonly string[];
  /** Options of studies by the study's name, where they are not the study's defaults. */
  readonly studyOptions: Readonly<Record<string, object>>;
  /** Each subject is made once for each of them, where a seed decides anything of it. */
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly evaluation: Breadth;
}

/** The paper's numbers: ten epochs at most, ten and fifty questions a concept, answers of up to 30 tokens; and two of its methods. */
const PAPER = {
  subjects: { unlearned: ["graddiff", "npo"] },
  controls: ["noise"],
  studies: ["restoration", "depth", "unpact", "weights"],
  studyOptions: {
    restoration: { settings: settings.map(({ name }) => name) },
    unpact: {
      templates: emphases.map(({ name }) => name),
      targetQuestions: 10,
      otherQuestions: 5,
      compare: { attributions: OTHER_ATTRIBUTIONS, questions: 3 },
    },
  },
  seeds: [0],
  epochs: 10,
  evaluation: { targetQuestions: 10, unrelatedQuestions: 50, leastQuestions: 3, maxAnswerTokens: 30, examples: 3 },
};

export const presets: Readonly<Record<PresetName, Preset>> = {
  smoke: {
    ...PAPER,
    description: "one concept a model, NPO alone, few epochs and questions, no control: does everything run?",
    subjects: { unlearned: ["npo"] },
    studies: ["restoration"],
    studyOptions: { restoration: { settings: figure1.map(({ name }) => name) } },
    concepts: ["Harry Potter"],
    controls: [],
    epochs: 5,
    evaluation: { ...PAPER.evaluation, targetQuestions: 5, unrelatedQuestions: 5 },
  },
  default: {
    ...PAPER,
    description:
      "two concepts a model, Gradient Difference and NPO, the settings of Figure 1, noise as a control: a figure in minutes",
    concepts: ["Harry Potter", "Netflix", "EBay"],
    studies: ["restoration", "unpact", "weights"],
    studyOptions: { restoration: { settings: figure1.map(({ name }) => name) }, unpact: { contexts: [] } },
    epochs: 9,
    evaluation: { ...PAPER.evaluation, unrelatedQuestions: 8 },
  },
  paper: {
    ...PAPER,
    description:
      "every concept of the data file (the paper's ten), the four methods of the paper's Figure 2, three seeds, noise as a control",
    concepts: "all",
    subjects: { unlearned: ["dpo", "npo", "npo+kl", "graddiff"] },
    seeds: [0, 1, 2],
  },
};

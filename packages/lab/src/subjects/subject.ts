import type { Decoder, ModelPlace } from "@lethe/decoder";
import type { FloatDType, MemoryNeed } from "@lethe/tensor";
import { type Answer, type Concept, isPromptForm, judges, type Method, type TrainingRecipe } from "@lethe/unlearn";
import { z } from "zod";
import { conceptTexts } from "./concept-texts.ts";
import type { Live } from "./live.ts";
import type { PretrainedStore } from "./pretrained.ts";
import type { Unfinished } from "./unfinished.ts";
import type { Vanilla } from "./vanilla/vanilla.ts";

const share = z.number().min(0).max(1);
const count = z.number().int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A model by the name of its directory and the SHA-256 of its files. */
export const modelReference = z.strictObject({ name: z.string().min(1), sha256 });

/** A concept by its name and its number in the data file, null where it has none, and the SHA-256 of its content. */
export const conceptReference = z.strictObject({ id: z.number().int().nullable(), name: z.string().min(1), sha256 });

const judgeNames = judges.map(({ name }) => name) as [string, ...string[]];

/** Which questions both models are asked and how, whatever the subject and the studies. */
export const evaluationSchema = z.strictObject({
  /** Questions about the concept. */
  targetQuestions: count,
  /** Questions about other things. */
  unrelatedQuestions: count,
  /** With fewer questions of a kind that can be compared, a cell fails before it trains. */
  leastQuestions: count,
  /** How questions are put: `qa`, `chat`, or a text with `{question}`. */
  prompt: z.string().refine(isPromptForm, "expected qa, chat, or a text with {question}"),
  /** Which vanilla answers count as right: those to which this judge gives at least the threshold. */
  judge: z.strictObject({ name: z.enum(judgeNames), threshold: share }),
  /** Questions that the vanilla model answers wrong are left out. */
  known: z.boolean(),
  /** Greedy answers end at this length unless the model ends them before. */
  maxAnswerTokens: count,
  /** Questions of each kind whose answers are kept in the result, word for word. */
  examples: z.number().int().min(0),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

const example = z.strictObject({
  question: z.string(),
  /** The data's own answer, null where the data has none. */
  expected: z.string().nullable(),
  before: z.string(),
  after: z.string(),
});

const tally = z.number().int().min(0);

/** What became of the questions of one kind when the vanilla model was asked. */
const questionCounts = z
  .strictObject({
    asked: count,
    /** Of those asked: the data have an answer for them, so that a judge could decide. */
    judged: tally,
    /** Of those judged: the judge found the vanilla answer right. */
    right: tally,
    /** Left out, because the vanilla answer is empty. */
    silent: tally,
    /** Left out, because the judge found the vanilla answer wrong. */
    unknown: tally,
    /** What is left: the questions on which models are compared. */
    compared: count,
  })
  .refine(({ asked, silent, unknown, compared }) => asked === silent + unknown + compared, "counts do not add up")
  .refine(({ asked, judged, right }) => right <= judged && judged <= asked, "more are right than were judged");

/** What is recorded of every subject: how its answers compare with the vanilla model's. */
export const answersRecord = z.strictObject({
  /** The concept's texts. */
  texts: conceptTexts,
  /** What the vanilla model knew, and which questions were left out. */
  vanilla: z.strictObject({ target: questionCounts, unrelated: questionCounts }),
  /**
   * Mean sentence BLEU against the vanilla model's answers. The first entry is the vanilla model itself, the last is the subject. A
   * subject that is trained has one for each epoch between.
   */
  bleu: z
    .strictObject({ target: z.array(share).min(2), unrelated: z.array(share).min(2) })
    .refine(({ target, unrelated }) => target.length === unrelated.length, "target and unrelated differ in length"),
  examples: z.strictObject({ target: z.array(example), unrelated: z.array(example) }),
});
export type AnswersRecord = z.infer<typeof answersRecord>;

/** The places of the models and the concepts' content, which a cell's configuration names and hashes. */
export interface Sources {
  /** The vanilla model's directory, or a model's name on the Hugging Face Hub. */
  readonly model: ModelPlace;
  readonly concept: Concept;
  /** Its text is the retain text. */
  readonly retain: Concept;
  /** The unlearned model, where one is given. */
  readonly unlearned?: ModelPlace;
  /** All concepts of the data file, where a model is trained from scratch on others than the cell's. */
  readonly concepts?: readonly Concept[];
}

/** Figures of running work, to be printed beside its stage. */
export interface Figures {
  /** Optimiser steps that are done, the part of the running one included, of those that there will be. */
  readonly step?: { readonly done: number; readonly of: number };
  /** The loss of the last step. */
  readonly loss?: number;
  /** Mean BLEU against the vanilla model's answers, after the last epoch. */
  readonly bleu?: { readonly target: number; readonly unrelated: number };
  readonly tokensPerSecond?: number;
}

/** The connection between running work and the person who watches it. */
export interface Watcher {
  /**
   * Informs about progress. It is called often, and does not stop the work.
   * @param share of the work that is done, from 0 to 1
   * @param stage a name that stays the same during the stage, such as "restoring m"; the time spent in each stage is recorded
   * @param now what is known of the work at this moment
   */
  progress(share: number, stage: string, now?: Figures): void;
  /** Shows a line that the person should read while the cell runs. */
  remark(line: string): void;
  /** Takes what is measured so far. Absent where nobody draws it. */
  live?(now: Live): void;
  /** When it is aborted, the work throws its reason. */
  readonly signal: AbortSignal;
}

/** Models from which a subject can be made. The caller disposes of them. */
export interface Models {
  readonly vanilla: Vanilla;
  /**
   * A copy of the vanilla model that may be changed.
   * @param purpose what is done with the copy, for the error's message: "unlearning"
   * @param training memory that this takes besides the copy
   * @param dtypeOf gives the dtype of the copy's weight of a name. Default: f32 for all of them
   * @throws OutOfMemoryError when copy and training do not fit the device
   */
  copy(purpose: string, training: readonly MemoryNeed[], dtypeOf?: (name: string) => FloatDType): Promise<Decoder>;
  /** Another model on the same device. */
  load(place: ModelPlace): Promise<Decoder>;
  readonly pretrained: PretrainedStore;
}

/** One model's answers to a cell's questions. */
export interface Answers {
  readonly target: readonly Answer[];
  readonly unrelated: readonly Answer[];
}

/** The vanilla model's answer to a question that is compared. */
export interface KnownAnswer extends Answer {
  /** The data's own answer, null where the data have none. */
  readonly expected: string | null;
}

/**
 * The vanilla model's answers, as far as they can be compared: no answer is empty. They are kept for other cells that ask it the same
 * questions.
 */
export interface KnownAnswers extends Answers {
  readonly target: readonly KnownAnswer[];
  readonly unrelated: readonly KnownAnswer[];
  readonly counts: AnswersRecord["vanilla"];
  readonly texts: AnswersRecord["texts"];
  /**
   * Keeps what a study computes from the vanilla model and these answers alone, for the next cell.
   * @param make called when nothing is kept under the key
   */
  keep<T extends Disposable>(key: string, make: () => T): T;
}

/**
 * A model to be measured, beside the vanilla model from which it was made.
 * @typeParam V `Decoder` for what runs the vanilla model again and again: see `wholeOf`
 */
export interface Subject<V = Vanilla> {
  readonly vanilla: V;
  readonly known: KnownAnswers;
  readonly model: Decoder;
  /** The model's own answers to the same questions as the vanilla model's. */
  readonly answers: Answers;
  readonly concept: Concept;
  /** The concept whose text is the retain text: another one than the subject's. */
  readonly retain: Concept;
  /** How both models are asked and judged. */
  readonly evaluation: Evaluation;
}

/**
 * Measures a model that is being trained, for the studies that follow a training.
 * @returns what they measured, by the study's name; empty where none does
 */
export type AtEpoch = (
  model: Decoder,
  answers: Answers,
  watcher: Watcher,
) => Promise<Readonly<Record<string, unknown>>>;

/** Everything that decides a subject: what all kinds have in common, and `subject` with the fields of one kind. */
export interface CommonConfig<C> {
  readonly seed: number;
  readonly model: z.infer<typeof modelReference>;
  readonly concept: z.infer<typeof conceptReference>;
  readonly evaluation: Evaluation;
  readonly subject: C;
}

/** What {@link SubjectKind.make} is given. */
export interface SubjectTask<C> {
  readonly config: CommonConfig<C>;
  readonly sources: Sources;
  readonly models: Models;
  /** The vanilla model's answers. The first call asks it, so call this when all models are loaded: too little memory then shows at once. */
  readonly known: () => Promise<KnownAnswers>;
  readonly watcher: Watcher;
  /** Called after each epoch of training but the last, after which the model is the subject. */
  readonly atEpoch: AtEpoch;
  /** Keeps the work while it runs. Absent where there is no place for it. */
  readonly unfinished?: Unfinished | undefined;
  /** The record of the subject that {@link Control.matches} names, as it stands in its cell's file. */
  readonly matched?: unknown;
}

/** The sizes of a model. */
export type ModelSizes = Pick<Decoder["config"], "num_hidden_layers" | "intermediate_size">;

/** What {@link SubjectKind.choose} is given besides the option's values. */
export interface Planning {
  /**
   * How a method trains the vanilla model.
   * @param train where it is not what the method trains
   */
  recipe(method: Method, train?: string): TrainingRecipe;
  /** What is to be trained, each once, by names of `trainedPart`. Empty for what each method trains. */
  readonly train: readonly string[];
  /** Reads the vanilla model's sizes. */
  sizes(): Promise<ModelSizes>;
  /** The vanilla models of the whole experiment. */
  readonly models: readonly ModelPlace[];
  /** The concept whose text is the retain text. */
  readonly retain: z.infer<typeof conceptReference>;
  /** Reads and hashes a model. */
  reference(directory: ModelPlace): Promise<z.infer<typeof modelReference>>;
  /** The vanilla model's directory, or a model's name on the Hugging Face Hub. */
  readonly model: ModelPlace;
  /** The data file: its name, its concepts, and the SHA-256 of their content. */
  readonly data: { readonly path: string; readonly concepts: readonly Concept[]; readonly sha256: string };
  /** The subjects of this model and concept that are planned before this kind's and may have controls. */
  readonly controlled: readonly { readonly kind: string }[];
}

/** What a kind of subject has that is measured only beside others: a model that was changed by something else than unlearning. */
export interface Control<C> {
  /** For the command line's help. */
  readonly description: string;
  /** Whether a subject controls another one of the same model, concept and evaluation. */
  controls(control: CommonConfig<C>, other: CommonConfig<{ readonly kind: string }>): boolean;
  /** The subject that has to be measured before, because this one is made to match what was measured of it. */
  matches?(config: C): { readonly kind: string };
}

/** A kind of subject. A new kind is one file in this folder and a line in `list.ts`. */
export interface SubjectKind<C extends { kind: string }, R extends AnswersRecord> {
  /** The kind's name, `config.subject.kind`. */
  readonly kind: C["kind"];
  /** Set where no seed decides anything of a subject: then it has one cell, whatever the number of seeds. */
  readonly unseeded?: true;
  /** Set where making a subject is a training that no rehearsal measures: then nobody forecasts what its cell takes. */
  readonly unrehearsed?: true;
  /** Everything that decides the subject besides model, concept, questions and seed. */
  readonly config: z.ZodType<C>;
  /** What is recorded while it is made. */
  readonly record: z.ZodType<R>;
  /** The option of the command line that asks for subjects of this kind. It can be repeated. A control has none. */
  readonly option?: { readonly flags: string; readonly description: string };
  /** What makes a control of it. `--control` asks for it by its kind's name. A control comes after what it controls in `list.ts`. */
  readonly control?: Control<C>;
  /**
   * The subjects that the option's values ask for, of one vanilla model and one concept. For a control that is asked for, the one value
   * is its kind's name.
   * @throws LetheError when a value is wrong
   */
  choose(
    values: readonly string[],
    planning: Planning,
  ): Promise<readonly { readonly config: C; readonly sources?: Pick<Sources, "unlearned" | "concepts"> }[]>;
  /** What a subject of this kind is called. */
  label(config: C): {
    /** For file names and tables: "npo". */
    readonly name: string;
    /** For figures and pages: "Gradient Difference". */
    readonly title: string;
    /** Where it is described, such as a paper. */
    readonly source?: string;
  };
  /**
   * Makes the subject. The result depends on nothing but the configuration and the sources.
   * @returns the model to be measured, its answers to the questions that are compared, the record of how it was made, and what
   * {@link SubjectTask.atEpoch} gave
   */
  make(task: SubjectTask<C>): Promise<{
    readonly model: Decoder;
    readonly answers: Answers;
    readonly record: R;
    readonly epochs?: readonly Readonly<Record<string, unknown>>[];
  }>;
}

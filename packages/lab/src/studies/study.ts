import type { Decoder } from "@lethe/decoder";
import type { z } from "zod";
import type { Finding } from "../report/findings/finding.ts";
import type { StudySections } from "../report/section.ts";
import type { MeasuredSubject } from "../subjects/list.ts";
import type { Subject, Watcher } from "../subjects/subject.ts";
import type { Vanilla } from "../subjects/vanilla/vanilla.ts";

/** The part of a cell's file that one study needs: the subject, and the study's own options and result. */
export interface StudyCell<O, R> extends MeasuredSubject {
  readonly options: O;
  readonly result: R;
}

/** What a study measures. */
export interface StudySubject<V = Vanilla> extends Subject<V> {
  /** What {@link Study.atEpoch} gave after each epoch of the subject's training but the last. */
  readonly epochs: readonly unknown[];
}

/** What a study is rehearsed on. */
export interface Rehearsal {
  readonly vanilla: Decoder;
  /** A model such as the subject will be: a copy in f32. Its weights say nothing. */
  readonly copy: Decoder;
  /** Prompts of target questions, in tokens. */
  readonly prompts: readonly (readonly number[])[];
  /** New tokens of an answer at most. */
  readonly answerTokens: number;
  readonly signal: AbortSignal;
}

/** How much a study has to do. */
export interface StudySize {
  /** Layers of the model. */
  readonly depth: number;
  /** Target questions that are compared. */
  readonly questions: number;
  /** Tokens of one with its answer, padding included. */
  readonly tokens: number;
  /** Epochs of the subject's training. */
  readonly epochs: number;
}

/** What a study takes, for forecasts and budgets. */
export interface StudyCost<O, C> {
  /** Measures passes of the study's shapes. Plain data: it is kept in a file. */
  rehearse(rehearsal: Rehearsal, options: O): Promise<C>;
  /** Seconds by stage, under the names that `measure` reports. */
  seconds(rates: C, options: O, size: StudySize): Readonly<Record<string, number>>;
  /** Options that cost a little less and measure nearly as much; null where nothing more can be spared. */
  shorter(options: O, size: Omit<StudySize, "epochs">): O | null;
  /** Says what a budget may change, as it stands in these options: "a window stride of 2". */
  describe(options: O): string;
}

/** Something that is measured on a subject. A new study is a folder beside this file and a line in `list.ts`. */
export interface Study<O = unknown, R = unknown> {
  /** For command lines and cells' files. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** A schema in which every option has a default. */
  readonly options: z.ZodType<O>;
  /** The schema of a result: what was measured, and no score that can be computed from it. */
  readonly schema: z.ZodType<R>;
  /** What it takes. Absent where it takes little beside its subject. */
  readonly cost?: StudyCost<O, unknown>;
  /** Set where it runs the vanilla model again and again, so that this must stay on the device: such a study uses `wholeOf`. */
  readonly vanillaOnDevice?: true;
  /**
   * Measures a subject while it is trained: after each epoch but the last. Absent where nothing is measured then.
   * @returns plain data, which is kept with an unfinished training; `undefined` where the options do not ask for it
   */
  atEpoch?(subject: Subject, options: O, watcher: Watcher): Promise<unknown>;
  /** Measures one subject. The result depends on nothing but the subject and the options. */
  measure(subject: StudySubject, options: O, watcher: Watcher): Promise<R>;
  /** A result in a few words, for the line that is printed when a cell is finished. */
  summary(result: R): string;
  /** What these cells say about the paper's claims: most studies give `findingsOf` their claims. */
  findings?(cells: readonly StudyCell<O, R>[]): readonly Finding[];
  /** Flat numbers of one result, by names such as "krs_m_max", for `_SUMMARY.json`. */
  metrics?(result: R): Readonly<Record<string, number>>;
  /** The study's part of the report on these cells. */
  sections(cells: readonly StudyCell<O, R>[]): Promise<StudySections>;
}

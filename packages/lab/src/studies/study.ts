import type { z } from "zod";
import type { StudySections } from "../report/section.ts";
import type { MeasuredSubject } from "../subjects/list.ts";
import type { Subject, Watcher } from "../subjects/subject.ts";

/** The part of a cell's file that one study needs: the subject, and the study's own options and result. */
export interface StudyCell<O, R> extends MeasuredSubject {
  readonly options: O;
  readonly result: R;
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
  /** Measures one subject. The result depends on nothing but the subject and the options. */
  measure(subject: Subject, options: O, watcher: Watcher): Promise<R>;
  /** A result in a few words, for the line that is printed when a cell is finished. */
  summary(result: R): string;
  /** The study's part of the report on these cells. */
  sections(cells: readonly StudyCell<O, R>[]): Promise<StudySections>;
}

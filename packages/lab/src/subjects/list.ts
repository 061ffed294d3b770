import { z } from "zod";
import { given } from "./given.ts";
import { never } from "./never.ts";
import { noise } from "./noise.ts";
import { overwritten } from "./overwritten.ts";
import { type AnswersRecord, conceptReference, evaluationSchema, modelReference, type SubjectKind } from "./subject.ts";
import { unlearned } from "./unlearned.ts";

/** Every kind of subject. A new one is a line here; controls come after what they control. */
export const subjects = [unlearned, given, noise, overwritten, never] as const;

/** The configuration of any kind of subject. */
export type SubjectChoice = z.infer<(typeof subjects)[number]["config"]>;
/** The record of any kind of subject. */
export type SubjectRecord = z.infer<(typeof subjects)[number]["record"]>;

const choices = subjects.map(({ config }) => config) as unknown as [z.ZodObject];

/** Everything that decides which model is measured, and on which questions. */
export const subjectConfigSchema = z.strictObject({
  seed: z.number().int().min(0),
  model: modelReference,
  concept: conceptReference,
  evaluation: evaluationSchema,
  subject: z.discriminatedUnion("kind", choices) as unknown as z.ZodType<SubjectChoice>,
});
export type SubjectConfig = z.infer<typeof subjectConfigSchema>;

/** A subject as it stands in a cell's file. */
export interface MeasuredSubject {
  readonly config: SubjectConfig;
  readonly subject: SubjectRecord;
}

/** The kind of a configured subject. */
export function subjectKind({ kind }: SubjectChoice): SubjectKind<SubjectChoice, AnswersRecord> {
  return subjects.find((subject) => subject.kind === kind) as unknown as SubjectKind<SubjectChoice, AnswersRecord>;
}

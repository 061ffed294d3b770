import { z } from "zod";
import type { Study, StudyCell } from "../studies/study.ts";
import {
  type SubjectChoice,
  type SubjectConfig,
  type SubjectRecord,
  subjectConfigSchema,
  subjectKind,
} from "../subjects/list.ts";
import type { Sources } from "../subjects/subject.ts";
import { identifyData } from "./identity.ts";
import { slug } from "./slug.ts";

/** The format of a cell's file. Raised whenever a file of the old format could be misread. */
export const CELL_VERSION = 4;

/** Everything that decides a cell's result: the same configuration on the same adapter gives the same file, byte for byte. */
export interface CellConfig extends SubjectConfig {
  /** The studies to be run, by name, each with its options. */
  readonly studies: Readonly<Record<string, unknown>>;
}

/** One subject and the studies on it. Each cell is run, written and scheduled on its own. */
export interface Cell {
  /** `<model>--<concept>--<subject>--<8 digits of the configuration's hash>`, the name of its file without `.json`. */
  readonly id: string;
  readonly config: CellConfig;
  readonly sources: Sources;
}

/** The content of a cell's file: losses and counts, and no score that can be computed from them. */
export interface CellResult {
  readonly version: typeof CELL_VERSION;
  readonly config: CellConfig;
  readonly subject: SubjectRecord;
  /** By the study's name, what it measured. */
  readonly studies: Readonly<Record<string, unknown>>;
}

/** The schema of a cell's configuration with any of these studies. It fills in defaults and puts keys into the schema's order. */
export function configSchema(studies: readonly Study[]) {
  const options = Object.fromEntries(studies.map(({ name, options }) => [name, options.optional()]));
  return subjectConfigSchema.extend({ studies: z.strictObject(options) });
}

/** The schema of a cell's file with any of these studies. */
export function cellSchema(studies: readonly Study[]) {
  const results = Object.fromEntries(studies.map(({ name, schema }) => [name, schema.optional()]));
  return z
    .strictObject({
      version: z.literal(CELL_VERSION),
      config: configSchema(studies),
      subject: z.unknown(),
      studies: z.strictObject(results),
    })
    .transform(({ version, config, subject, studies }, context): CellResult => {
      const record = subjectKind(config.subject).record.safeParse(subject);
      for (const issue of record.error?.issues ?? [])
        context.addIssue({ ...issue, path: ["subject", ...issue.path] } as never);
      if (Object.keys(studies).join() !== Object.keys(config.studies).join())
        context.addIssue({
          code: "custom",
          message: "the studies are not those of the configuration",
          path: ["studies"],
        });
      return { version, config, subject: record.data as SubjectRecord, studies };
    });
}

/** The id of a cell. The configuration must come from {@link configSchema}, as the hash depends on the order of its keys. */
export function cellId(config: CellConfig): string {
  const { name } = subjectKind(config.subject).label(config.subject);
  return [...[config.model.name, config.concept.name, name].map(slug), identifyData(config).slice(0, 8)].join("--");
}

/** The id of the cell whose result a control needs before it can be made: the one that differs in its subject alone. */
export function matchedCellId(config: CellConfig): string | undefined {
  const subject = subjectKind(config.subject).control?.matches?.(config.subject);
  return subject && cellId({ ...config, subject: subject as SubjectChoice });
}

/** A cell's id without the hash. */
export function stemOf(id: string): string {
  return id.slice(0, id.lastIndexOf("--"));
}

/** The cells that a study has measured, as the study sees them. */
export function studyCells<O, R>(cells: readonly CellResult[], { name }: Study<O, R>): StudyCell<O, R>[] {
  return cells
    .filter(({ studies }) => name in studies)
    .map(({ config, subject, studies }) => {
      return { config, subject, options: config.studies[name] as O, result: studies[name] as R };
    });
}

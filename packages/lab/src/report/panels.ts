import { isControl } from "../subjects/controls.ts";
import { type MeasuredSubject, subjectKind } from "../subjects/list.ts";

/** What the report knows of a cell: its configuration and what was recorded of its subject. */
export type ReportCell = MeasuredSubject;

/** The title of a cell's subject: the method's, for an unlearned model. */
export function subjectTitle({ config }: ReportCell): string {
  return subjectKind(config.subject).label(config.subject).title;
}

/** All cells of one model and one subject, which differ in their concepts and seeds: what one panel of a figure and one row of a table show. */
export interface Panel<C extends ReportCell = ReportCell> {
  readonly model: string;
  /** The subject's title. */
  readonly subject: string;
  readonly title: string;
  readonly cells: readonly C[];
  /** All concepts of the figure, which has a pattern for each one's thin line. Empty where concepts are not drawn. */
  readonly concepts: readonly string[];
}

/** One panel for each model and subject, row by row. Expects cells in the order of the results. */
export function panelsOf<C extends ReportCell>(cells: readonly C[]): Panel<C>[] {
  return grouped(cells, (cell) => subjectTitle(cell));
}

/** One panel for each model, with all its unlearned subjects: the paper's averages over concepts and methods. No controls. */
export function overallPanels<C extends ReportCell>(cells: readonly C[]): Panel<C>[] {
  const unlearned = cells.filter((cell) => !isControl(cell));
  const methods = new Set(unlearned.map(subjectTitle));
  return grouped(unlearned, () => (methods.size > 1 ? "all methods" : [...methods][0]!));
}

/** The same panels, in whose figure concepts have no lines of their own. */
export function withoutConcepts<C extends ReportCell>(panels: readonly Panel<C>[]): Panel<C>[] {
  return panels.map((panel) => ({ ...panel, concepts: [] }));
}

function grouped<C extends ReportCell>(cells: readonly C[], subjectOf: (cell: C) => string): Panel<C>[] {
  const panels = new Map<string, Panel<C> & { readonly cells: C[] }>();
  const concepts = [...new Set(cells.map(({ config }) => config.concept.name))];
  for (const cell of cells) {
    const model = cell.config.model.name;
    const subject = subjectOf(cell);
    const title = `${model} · ${subject}`;
    const panel = panels.get(title) ?? { model, subject, title, cells: [], concepts };
    panel.cells.push(cell);
    panels.set(title, panel);
  }
  return [...panels.values()];
}

/** The cells of each concept, which differ in their seeds, in the order in which the concepts first come. */
export function byConcept<C extends ReportCell>(cells: readonly C[]): C[][] {
  const concepts = new Map<string, C[]>();
  for (const cell of cells) {
    const { name, sha256 } = cell.config.concept;
    const key = `${name} ${sha256}`;
    concepts.set(key, [...(concepts.get(key) ?? []), cell]);
  }
  return [...concepts.values()];
}

/** Cells in words where there are several of a concept: "seed 1"; nothing elsewhere. */
export function seedOf({ config }: ReportCell, cells: readonly ReportCell[]): string {
  return new Set(cells.map(({ config: { seed } }) => seed)).size > 1 ? `seed ${config.seed}` : "";
}

/** The mean at each position over seeds, and then over concepts, so that each concept counts as much as another. */
export function meanOfCells<C extends ReportCell>(
  cells: readonly C[],
  listOf: (cell: C) => readonly number[],
): number[] {
  return meanOfLists(byConcept(cells).map((seeds) => meanOfLists(seeds.map(listOf))));
}

/** The mean at each position. A list that ends early, because its run did, counts with its last value from there on. */
export function meanOfLists(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, position) => mean(lists.map((list) => list[position] ?? list.at(-1)!)));
}

/** Mean BLEU over seeds, and then over concepts, at the end of training. */
export function endOfBleu(cells: readonly ReportCell[], kind: "target" | "unrelated"): number {
  return meanOfCells(cells, ({ subject }) => [subject.bleu[kind].at(-1)!])[0]!;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

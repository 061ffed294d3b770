import { type MeasuredSubject, subjectKind } from "../subjects/list.ts";

/** What the report knows of a cell: its configuration and what was recorded of its subject. */
export type ReportCell = MeasuredSubject;

/** The title of a cell's subject: the method's, for an unlearned model. */
export function subjectTitle({ config }: ReportCell): string {
  return subjectKind(config.subject).label(config.subject).title;
}

/** All cells of one model and one subject, which differ in their concepts: what one panel of a figure and one row of a table show. */
export interface Panel<C extends ReportCell = ReportCell> {
  readonly model: string;
  /** The subject's title. */
  readonly subject: string;
  readonly title: string;
  readonly cells: readonly C[];
}

/** Panels row by row: one row a model, one column a subject. Expects cells in the order of the results. */
export function panelsOf<C extends ReportCell>(cells: readonly C[]): Panel<C>[] {
  const panels = new Map<string, Panel<C> & { readonly cells: C[] }>();
  for (const cell of cells) {
    const model = cell.config.model.name;
    const subject = subjectTitle(cell);
    const title = `${model} · ${subject}`;
    const panel = panels.get(title) ?? { model, subject, title, cells: [] };
    panel.cells.push(cell);
    panels.set(title, panel);
  }
  return [...panels.values()];
}

/** The mean at each position. A list that ends early, because its run did, counts with its last value from there on. */
export function meanOfLists(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, position) => mean(lists.map((list) => list[position] ?? list.at(-1)!)));
}

/** Mean BLEU over cells at the end of training. */
export function endOfBleu(cells: readonly ReportCell[], kind: "target" | "unrelated"): number {
  return mean(cells.map(({ subject }) => subject.bleu[kind].at(-1)!));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

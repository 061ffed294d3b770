import { meanOfLists, type ReportCell } from "../panels.ts";
import { drawsOf } from "./bootstrap.ts";

/** Cells whose numbers can be averaged, and drawn anew. */
export interface Resampled<C extends ReportCell> {
  /** Cells of each concept. */
  readonly concepts: readonly (readonly C[])[];
  /** As `Measurement` describes it. */
  readonly questions?: number | undefined;
  numbers(cells: readonly C[], drawn?: readonly number[]): readonly number[];
}

/** What is drawn anew: concepts where there are several, else the questions of the only one, if the numbers are by question. */
export function unitOf<C extends ReportCell>({ concepts, questions = 0 }: Resampled<C>): Unit | undefined {
  if (concepts.length > 1) return { name: "concepts", count: concepts.length };
  return questions > 1 ? { name: "questions", count: questions } : undefined;
}

interface Unit {
  readonly name: "concepts" | "questions";
  readonly count: number;
}

/** The numbers' means over concepts, for each of the bootstrap's draws. None where nothing can be drawn. */
export function drawnNumbers<C extends ReportCell>(sample: Resampled<C>): number[][] {
  const unit = unitOf(sample);
  if (unit?.name === "questions")
    return drawsOf(unit.count).map((drawn) => [...sample.numbers(sample.concepts[0]!, drawn)]);
  if (!unit) return [];
  const each = sample.concepts.map((cells) => sample.numbers(cells));
  return drawsOf(unit.count).map((drawn) => meanOfLists(drawn.map((concept) => each[concept]!)));
}

/** The numbers' means over concepts. */
export function meanNumbers<C extends ReportCell>({ concepts, numbers }: Resampled<C>): number[] {
  return meanOfLists(concepts.map((cells) => numbers(cells)));
}

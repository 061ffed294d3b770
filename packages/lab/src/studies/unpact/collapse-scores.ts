import { type ProbabilityLost, probabilityLost, type TokenGroup } from "@lethe/unlearn";
import type { CollapsedGroup } from "./schema.ts";
import { meanWhereThere, type QuestionKind, type UnpactCell } from "./scores.ts";

/** Some of the groups of tokens. */
export type GroupChoice = (group: Pick<CollapsedGroup, "class" | "from" | "to">) => boolean;

/** What the chosen tokens lost in a cell. */
export function lostOf(
  { result }: Pick<UnpactCell, "result">,
  kind: QuestionKind,
  chosen: GroupChoice,
): ProbabilityLost {
  const groups = result.collapse[kind].filter(chosen);
  const of = (model: "vanilla" | "subject") =>
    groups.map(
      ({ class: of, from, to, count, ...sums }): TokenGroup => ({ class: of, from, to, count, ...sums[model] }),
    );
  return probabilityLost(of("vanilla"), of("subject"));
}

/** One number of {@link lostOf}: the mean over seeds and then concepts, of those that have it; null where none has. */
export function meanLost(
  cells: readonly UnpactCell[],
  kind: QuestionKind,
  chosen: GroupChoice,
  field: "drop" | "kept",
): number | null {
  return meanWhereThere(cells, (cell) => [lostOf(cell, kind, chosen)[field]]);
}

/** The bands of frequency of which one of these cells has tokens, from rare to frequent. */
export function bandsOf(cells: readonly UnpactCell[], kind: QuestionKind): Pick<CollapsedGroup, "from" | "to">[] {
  const bands = new Map(
    cells.flatMap(({ result }) => result.collapse[kind].map(({ from, to }) => [from, { from, to }] as const)),
  );
  return [...bands.values()].sort((a, b) => a.from - b.from);
}

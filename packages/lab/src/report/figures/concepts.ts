import type { ReportCell } from "../panels.ts";

/** How the thin lines of concepts differ: each with its sign for the legend and its lengths of strokes and gaps. */
const PATTERNS = [
  { sign: "———", strokeDash: [] },
  { sign: "- - -", strokeDash: [5, 3] },
  { sign: "· · ·", strokeDash: [1, 2] },
  { sign: "– · –", strokeDash: [7, 2, 1, 2] },
  { sign: "—— ——", strokeDash: [11, 4] },
  { sign: "– · · –", strokeDash: [5, 2, 1, 2, 1, 2] },
];

/** A line of the legend is at most so long. */
const LONGEST_LINE = 90;

/**
 * The pattern of a concept's thin line, the same in every panel of a figure.
 * @param concepts all concepts of the figure. Where there are more than patterns, all lines are alike, and the data tell them apart
 */
export function patternOf(concept: string, concepts: readonly string[]): number[] {
  if (concepts.length > PATTERNS.length) return [];
  return PATTERNS[concepts.indexOf(concept)]?.strokeDash ?? [];
}

/** What thin lines are, in lines of text for the head of a figure. None where there is but one concept. */
export function conceptLegend(concepts: readonly string[]): string[] {
  if (concepts.length < 2) return [];
  if (concepts.length > PATTERNS.length) return [`thin: each of ${concepts.length} concepts`];
  const lines: string[] = [];
  for (const [i, name] of concepts.entries()) {
    const entry = `${PATTERNS[i]!.sign} ${name}`;
    const line = lines.at(-1);
    if (line === undefined) lines.push(`thin: ${entry}`);
    else if (line.length + entry.length > LONGEST_LINE) lines.push(entry);
    else lines[lines.length - 1] = `${line},  ${entry}`;
  }
  return lines;
}

/** Under a panel's title: over what its thick lines are means. */
export function describeMean(cells: readonly ReportCell[], methods: number): string {
  const concepts = new Set(cells.map(({ config }) => config.concept.name));
  const seeds = new Set(cells.map(({ config }) => config.seed)).size;
  const parts = [
    concepts.size > 1 ? `${concepts.size} concepts` : [...concepts][0]!,
    ...(methods > 1 ? [`${methods} methods`] : []),
    ...(seeds > 1 ? [`${seeds} seeds`] : []),
  ];
  return concepts.size > 1 || parts.length > 1 ? `mean: ${parts.join(", ")}` : parts[0]!;
}

import { csvFormatRows } from "d3-dsv";
import type { CorpusCount } from "./extract.ts";

const HEAD = ["concept", "documents that mention it", "paragraphs", "average words"] as const;

/** The columns of the paper's Table 1 (concept, paragraphs, average words), and how many documents mention the concept often enough. */
export function conceptRows(names: readonly string[], { concepts }: CorpusCount): string[][] {
  return concepts.map(({ mentioning, kept, words }, i) => [
    names[i]!,
    String(mentioning),
    String(kept),
    kept > 0 ? (words / kept).toFixed(2) : "",
  ]);
}

/** The rows as a CSV file. */
export function csvOf(rows: readonly string[][]): string {
  return `${csvFormatRows([[...HEAD], ...rows])}\n`;
}

/** The rows in columns, for a terminal. */
export function textTable(rows: readonly string[][]): string {
  const all = [[...HEAD], ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "))
    .join("\n");
}

import { escapeHtml, unescapeHtml } from "../html.ts";

const OPEN = "<metadata>";
const METADATA = /<metadata>([^<]*)<\/metadata>/;

/** Puts a figure's values into its SVG, as CSV: they stay with the picture wherever it goes. */
export function withData(svg: string, csv: string): string {
  return svg.replace(/<svg [^>]*>/, (head) => `${head}${OPEN}${escapeHtml(csv)}</metadata>`);
}

/** The values of a figure, as CSV. */
export function dataOf(svg: string): string {
  return unescapeHtml(METADATA.exec(svg)?.[1] ?? "");
}

/** The figure alone, for a page that has the values elsewhere. */
export function withoutData(svg: string): string {
  return svg.replace(METADATA, "");
}

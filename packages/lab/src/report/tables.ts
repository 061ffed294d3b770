import { csvFormatRows } from "d3-dsv";
import { standAlone } from "./figures/colours.ts";
import { dataOf, withoutData } from "./figures/data.ts";
import { Html, html, trusted, unescapeHtml } from "./html.ts";

export type Entry = string | number | Html;

/**
 * A table of short entries, whose first column names the rows. A column of numbers is aligned right.
 * @param name what the table shows, for readers who hear the page
 * @param layout "stacked" for entries of many words: on a narrow screen they lie below each other, each with its column's name
 */
export function table(
  name: string,
  head: readonly string[],
  rows: readonly (readonly Entry[])[],
  layout: "scores" | "stacked" = "scores",
): Html {
  const numeric = head.map((_, column) => rows.every((row) => /^−?\d[\d.]*$/.test(String(row[column]))));
  const style = (column: number) => trusted(numeric[column] ? ' class="number"' : "");
  const cell = (entry: Entry, column: number) =>
    column === 0
      ? html`<th scope="row">${entry}</th>`
      : html`<td${style(column)}${layout === "stacked" ? html` data-column="${head[column]!}"` : ""}>${entry}</td>`;
  return html`${wide(
    name,
    html`<table class="${layout}">
<thead><tr>${head.map((title, column) => html`<th${style(column)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table>`,
  )}
${links(name, [["table (CSV)", `${fileName(name)}.csv`, "text/csv", tableCsv(head, rows)]])}`;
}

/** What may be wider than a screen: it scrolls sideways, with a shadow where more is hidden, and the keyboard reaches it. */
function wide(name: string, content: Html): Html {
  return html`<div class="wide" role="region" aria-label="${name}" tabindex="0">${content}</div>`;
}

/** A score with two decimals, with a minus sign rather than a hyphen, and without a negative zero. */
export function score(value: number): string {
  return value.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
}

/** Each value once, in the order in which they first come. */
export function listed(values: readonly string[]): string {
  return [...new Set(values)].join("; ");
}

/** A figure with its caption, and with links to its data and to the picture. */
export function figure(name: string, svg: string, caption: Html): Html {
  const file = fileName(name);
  return html`<figure>${wide(name, trusted(withoutData(svg)))}<figcaption>${caption}
${links(name, [
  ["data (CSV)", `${file}.csv`, "text/csv", dataOf(svg)],
  ["picture (SVG)", `${file}.svg`, "image/svg+xml", standAlone(svg)],
])}</figcaption></figure>`;
}

/** Links that save what the page itself holds, as files. */
export function links(
  name: string,
  files: readonly (readonly [label: string, file: string, type: string, content: string])[],
): Html {
  const link = ([label, file, type, content]: (typeof files)[number]) =>
    html`<a download="${file}" href="data:${type};base64,${Buffer.from(content).toString("base64")}" aria-label="${name}: ${label}">${label}</a>`;
  return html`<span class="links">${files.map((each, i) => html`${i > 0 ? " · " : ""}${link(each)}`)}</span>`;
}

/** The CSV files that a page's links save, by their names. */
export function savedCsv(page: string): Record<string, string> {
  const found = page.matchAll(/ download="([^"]+\.csv)" href="data:text\/csv;base64,([^"]*)"/g);
  return Object.fromEntries(
    Array.from(found, ([, name, content]) => [unescapeHtml(name!), Buffer.from(content!, "base64").toString()]),
  );
}

/** A table's CSV, as a file of its own and behind the table's link. */
function tableCsv(head: readonly string[], rows: readonly (readonly Entry[])[]): string {
  const text = (entry: Entry) => (entry instanceof Html ? plainText(entry) : String(entry)).replaceAll("−", "-");
  return `${csvFormatRows([head as string[], ...rows.map((row) => row.map(text))])}\n`;
}

/** The text of markup that our own code made. */
function plainText({ text }: Html): string {
  return unescapeHtml(text.replace(/<br>/g, "; ").replace(/<[^>]*>/g, ""));
}

function fileName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
}

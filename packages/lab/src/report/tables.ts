import { csvFormatRows } from "d3-dsv";
import { fromBase64, toBase64 } from "./base64.ts";
import { dataOf, withoutData } from "./figures/data.ts";
import { Html, html, trusted, unescapeHtml } from "./html.ts";

export type Entry = string | number | Html;

/** A table with more rows than this is folded: a reader who wants one row of hundreds asks for them. */
const MOST_ROWS = 40;

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
  const content = wide(
    name,
    html`<table class="${layout}">
<thead><tr>${head.map((title, column) => html`<th${style(column)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table>`,
  );
  return html`${rows.length > MOST_ROWS ? html`<details><summary>${name}: ${rows.length} rows</summary>${content}</details>` : content}
${savingLink(name, "table (CSV)", tableCsv(head, rows))}`;
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

/** A figure with its caption, and with a link to its data. */
export function figure(name: string, svg: string, caption: Html): Html {
  return html`<figure>${wide(name, trusted(withoutData(svg)))}<figcaption>${caption}
${savingLink(name, "data (CSV)", dataOf(svg))}</figcaption></figure>`;
}

/** A link that saves CSV which the page itself holds. */
function savingLink(name: string, label: string, csv: string): Html {
  const content = toBase64(csv);
  return html`<a class="saving" download="${fileName(name)}.csv" href="data:text/csv;base64,${content}" aria-label="${name}: ${label}">${label}</a>`;
}

/** The CSV files that a page's links save, by their names. */
export function savedCsv(page: string): Record<string, string> {
  const found = page.matchAll(/ download="([^"]+\.csv)" href="data:text\/csv;base64,([^"]*)"/g);
  return Object.fromEntries(Array.from(found, ([, name, content]) => [unescapeHtml(name!), fromBase64(content!)]));
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

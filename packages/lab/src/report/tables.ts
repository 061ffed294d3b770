import { type Html, html, trusted } from "./html.ts";

export type Entry = string | number | Html;

/**
 * A table of short entries, whose first column names the rows. A column of numbers is aligned right.
 * @param name what the table shows, for readers who hear the page
 */
export function table(name: string, head: readonly string[], rows: readonly (readonly Entry[])[]): Html {
  const numeric = head.map((_, column) => rows.every((row) => /^−?\d[\d.]*$/.test(String(row[column]))));
  const style = (column: number) => trusted(numeric[column] ? ' class="number"' : "");
  const cell = (entry: Entry, column: number) =>
    column === 0 ? html`<th scope="row">${entry}</th>` : html`<td${style(column)}>${entry}</td>`;
  return wide(
    name,
    html`<table class="scores">
<thead><tr>${head.map((title, column) => html`<th${style(column)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table>`,
  );
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

/** A figure with its caption. */
export function figure(name: string, svg: string, caption: Html): Html {
  return html`<figure>${wide(name, trusted(svg))}<figcaption>${caption}</figcaption></figure>`;
}

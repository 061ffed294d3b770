import { type Html, html, trusted } from "./html.ts";

export type Entry = string | number | Html;

/** A table of short entries. A column of numbers is aligned right. */
export function table(head: readonly string[], rows: readonly (readonly Entry[])[]): Html {
  const numeric = head.map((_, column) => rows.every((row) => /^−?\d[\d.]*$/.test(String(row[column]))));
  const style = (column: number) => trusted(numeric[column] ? ' class="number"' : "");
  return html`<div class="wide"><table class="scores">
<thead><tr>${head.map((name, column) => html`<th${style(column)}>${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((entry, column) => html`<td${style(column)}>${entry}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

/** A score with two decimals, with a minus sign rather than a hyphen, and without a negative zero. */
export function score(value: number): string {
  return value.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
}

/** Each value once, in the order in which they first come. */
export function listed(values: readonly string[]): string {
  return [...new Set(values)].join("; ");
}

/** A figure with its caption. A screen that is too narrow for it scrolls sideways. */
export function figure(svg: string, caption: Html): Html {
  return html`<figure><div class="wide">${trusted(svg)}</div><figcaption>${caption}</figcaption></figure>`;
}

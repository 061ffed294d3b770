import { type Html, html } from "./html.ts";
import { type Entry, score } from "./tables.ts";

/** A text whose words have a number each. */
export interface HeatRow {
  /** Whose numbers they are. */
  readonly label: string;
  readonly words: readonly {
    readonly text: string;
    readonly value: number;
    /** Whether the word stands out: it is underlined, so that it does so without colours. */
    readonly marked: boolean;
  }[];
  /** What is said of the row in its last column. */
  readonly note: Entry;
}

/** Steps of colour for either sign. The page's style has as many. */
const STEPS = 4;

/**
 * Texts one below the other, with words in a colour for their number: blue above 0, orange below it, the stronger the larger, in steps of a
 * share of the row's largest number. Each number stands in its word's title, and all of them are read aloud in place of the picture.
 * @param name what the rows show, for readers who hear the page
 * @param unit of the numbers
 * @param marked what a marked word is: "a key word"
 */
export function heatMap(name: string, rows: readonly HeatRow[], unit: string, marked: string): Html {
  return html`<table class="heat" aria-label="${name}"><tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${row.label}</th><td role="img" aria-label="${spoken(row, unit, marked)}">${words(row, unit, marked)}</td><td class="quiet">${row.note}</td></tr>\n`,
  )}</tbody></table>`;
}

function words({ words }: HeatRow, unit: string, marked: string): Html {
  const largest = Math.max(...words.map(({ value }) => Math.abs(value)));
  return html`${words.map(({ text, value, marked: stands }, i) => {
    const step = largest > 0 ? Math.round((STEPS * Math.abs(value)) / largest) : 0;
    const classes = [...(step > 0 ? [`${value > 0 ? "more" : "less"}-${step}`] : []), ...(stands ? ["marked"] : [])];
    const title = `${signed(value)} ${unit}${stands ? `, ${marked}` : ""}`;
    return html`${i > 0 ? " " : ""}<span${classes.length > 0 ? html` class="${classes.join(" ")}"` : ""} title="${title}">${text}</span>`;
  })}`;
}

/** The row as it is read aloud: each word with its number. */
function spoken({ words }: HeatRow, unit: string, marked: string): string {
  const each = words.map(
    ({ text, value, marked: stands }) => `${text} ${signed(value)}${stands ? ` (${marked})` : ""}`,
  );
  return `In ${unit}: ${each.join(", ")}`;
}

function signed(value: number): string {
  const text = score(value);
  return value > 0 ? `+${text}` : text;
}

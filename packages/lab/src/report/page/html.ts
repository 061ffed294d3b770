import { escapeHtml } from "../escape.ts";

/** Markup that is known to be safe. Only {@link html} and {@link trusted} make it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly Value[];

/**
 * A template whose every inserted value is escaped, in text and in quoted attributes alike: concept names and answers come from
 * files and models. Only Html goes in as it is; lists are joined.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((text, part, i) => text + insert(values[i - 1]!) + part));
}

/** Markup made by our own code, such as a figure. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

function insert(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(insert).join("");
  return escapeHtml(String(value));
}

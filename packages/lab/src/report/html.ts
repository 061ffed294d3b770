/** Markup that is safe to put on a page. Only {@link html} and {@link trusted} make it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly Value[];

/**
 * A template that escapes every inserted value, in text and in quoted attributes alike, because concept names and answers come from
 * files and models. Only Html is inserted as it is. Lists are joined.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((text, part, i) => text + insert(values[i - 1]!) + part));
}

/** Markup that our own code made, such as a figure. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

function insert(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(insert).join("");
  return escapeHtml(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes text safe as content or quoted attribute of HTML and SVG. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** The text of which {@link escapeHtml} made this. */
export function unescapeHtml(escaped: string): string {
  const characters = new Map(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));
  return escaped.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => characters.get(entity)!);
}

/** Colours of pages and figures by name, each for a light and for a dark background. */
const NAMED = {
  background: ["#ffffff", "#14171a"],
  ink: ["#1b1f24", "#e8eaed"],
  muted: ["#5b6470", "#a3abb5"],
  grid: ["#e4e7eb", "#2c3238"],
  shadow: ["#b4bac2", "#5b646e"],
} as const;

/**
 * Colours of lines by their place in a list: Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), which colour-blind readers can
 * tell apart, without its yellow, which is too pale on white. The colours for a dark background are lighter or stronger ones of the same hues.
 */
const SERIES = [
  ["#d55e00", "#ff8f45"],
  ["#009e73", "#2fc99a"],
  ["#0072b2", "#62b8f0"],
  NAMED.ink,
  ["#cc79a7", "#b9568f"],
  ["#e69f00", "#ffdf5a"],
  ["#56b4e9", "#3f6ee0"],
] as const;

/** The same hues for the letters of labels, dark enough on white for small text. On a dark background the lines' own colours are light enough. */
const SERIES_TEXT = ["#a84a00", "#00734f", "#0072b2", NAMED.ink[0], "#a04a7a", "#8a5f00", "#1a6f9e"] as const;

/** A named colour as a custom property of the page, so that a figure follows the reader's light or dark setting. */
export function colour(name: keyof typeof NAMED): string {
  return `var(--${name})`;
}

/** The colour of the line at a place in its list, as a custom property. A long list starts again: markers and labels tell lines apart too. */
export function seriesColour(place: number): string {
  return `var(--series-${place % SERIES.length})`;
}

/** {@link seriesColour} for text. */
export function seriesTextColour(place: number): string {
  return `var(--series-text-${place % SERIES.length})`;
}

const PROPERTIES: readonly (readonly [name: string, colours: readonly [light: string, dark: string]])[] = [
  ...Object.entries(NAMED),
  ...SERIES.map((colours, place) => [`series-${place}`, colours] as const),
  ...SERIES.map(([, dark], place) => [`series-text-${place}`, [SERIES_TEXT[place]!, dark]] as const),
];

/** The declarations that give the custom properties their values. */
export function customProperties(scheme: "light" | "dark"): string {
  return PROPERTIES.map(([name, [light, dark]]) => `--${name}: ${scheme === "light" ? light : dark};`).join(" ");
}

/**
 * A figure as a file of its own, which has no page around it: with the light colours, and where a browser shows it to a reader whose
 * system is dark, with the dark ones. Programs that know no style sheets show the light ones.
 */
export function standAlone(svg: string): string {
  const light = PROPERTIES.reduce((text, [name, [colour]]) => text.replaceAll(`var(--${name})`, () => colour), svg);
  const pairs = new Map(PROPERTIES.map(([, colours]) => colours).filter(([colour]) => light.includes(colour)));
  const rules = Array.from(pairs, ([from, to]) => `[fill="${from}"]{fill:${to}}[stroke="${from}"]{stroke:${to}}`);
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join("")}}</style>`;
  return light.replace(/<svg [^>]*>/, (head) => head + style);
}

import { customProperties, seriesColour } from "./figures/colours.ts";

/** The steps of a heat map's colours, as shares of the full colour. Text stays readable on the strongest, on light and dark pages. */
const SHARES = [10, 20, 32, 45];

const HEAT = SHARES.flatMap((share, i) =>
  (
    [
      ["more", 2],
      ["less", 0],
    ] as const
  ).map(
    ([side, place]) =>
      `table.heat .${side}-${i + 1} { background: color-mix(in srgb, ${seriesColour(place)} ${share}%, var(--background)); }`,
  ),
).join("\n");

/** The page's style sheet: one column; light or dark as the reader's system is; black on white on paper. */
export const style = `
:root { color-scheme: light dark; ${customProperties("light")} }
@media screen and (prefers-color-scheme: dark) { :root { ${customProperties("dark")} } }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 66rem; background: var(--background); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p, ul, figcaption { max-width: 46rem; }
li { margin: .35rem 0; }
sub { line-height: 0; }
.lead { font-size: 1.1rem; color: var(--muted); max-width: none; }
.warning { border-left: 3px solid var(--series-0); padding: .1rem 0 .1rem 1rem; margin: 1.25rem 0; }
figure { margin: 1rem 0 2rem; }
figure svg { display: block; max-width: 100%; height: auto; }
@media screen { figure svg { min-width: 40rem; } figure svg > rect:first-of-type { fill: none; } }
figcaption { color: var(--muted); font-size: .9rem; margin-top: .25rem; }
/* As wide as its content, to the screen's right edge at most. Its shadows lie at the edges, and covers that scroll with the content hide them. */
.wide {
  width: max-content; max-width: calc(min(100vw, 50vw + 33rem) - 2.5rem); overflow-x: auto;
  background:
    linear-gradient(to right, var(--background) 40%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--background) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--shadow), transparent) left / 1rem 100% no-repeat,
    linear-gradient(to left, var(--shadow), transparent) right / 1rem 100% no-repeat;
}
.wide:focus-visible { outline: 2px solid var(--series-2); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .88rem; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
th { font-weight: 600; color: var(--muted); }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
table.answers { width: 100%; table-layout: fixed; }
table.answers td { overflow-wrap: anywhere; }
table.facts th { white-space: nowrap; }
table.heat { margin: .25rem 0 1rem; }
table.heat th { min-width: 7rem; font-weight: inherit; }
table.heat :is(th, td) { padding: .1rem .8rem .1rem 0; border: 0; }
table.heat span { padding: .1rem .2rem; border-radius: .2rem; line-height: 1.9; print-color-adjust: exact; }
table.heat .marked { font-weight: 600; text-decoration: underline; text-underline-offset: .2em; }
${HEAT}
table:is(.scores, .stacked) thead th { vertical-align: bottom; }
table:is(.scores, .stacked) tbody th { color: inherit; font-weight: inherit; }
table.stacked :is(th, td) { min-width: 10rem; }
table.stacked th:first-child { min-width: 16rem; }
.verdict { white-space: nowrap; }
.saving { display: inline-block; font-size: .8rem; color: var(--muted); }
@media screen and (max-width: 48rem) {
  table.stacked, table.stacked :is(tbody, tr, th, td) { display: block; min-width: 0; }
  table.stacked thead { display: none; }
  table.stacked th { border: 0; padding-top: 1rem; }
  table.stacked td { border: 0; padding: .2rem 0 .2rem 1rem; }
  table.stacked td::before { content: attr(data-column) ": "; font-weight: 600; color: var(--muted); }
  .wide:has(table.stacked) { width: auto; background: none; }
}
a { color: inherit; }
.quiet { color: var(--muted); }
summary { cursor: pointer; padding: .3rem 0; }
pre { font: .75rem/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-x: auto; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media print {
  :root { font-size: 11px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  .wide { max-width: 100%; overflow: visible; background: none; }
  table { font-size: .8rem; }
  th, td { padding: .25rem .6rem .25rem 0; }
  h2, summary { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
}
`;

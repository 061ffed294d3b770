import { customProperties } from "./figures/colours.ts";

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
@media screen { figure svg { min-width: 40rem; } }
figcaption { color: var(--muted); font-size: .9rem; margin-top: .25rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
th { font-weight: 600; color: var(--muted); }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
table.answers { width: 100%; table-layout: fixed; }
table.answers td { overflow-wrap: anywhere; }
table.scores td:first-child, table.facts th { white-space: nowrap; }
table.scores th { vertical-align: bottom; }
a { color: inherit; }
.quiet { color: var(--muted); }
summary { cursor: pointer; padding: .3rem 0; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media print {
  :root { font-size: 11px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  .wide { overflow: visible; }
  table { font-size: .8rem; }
  th, td { padding: .25rem .6rem .25rem 0; }
  h2, summary { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
}
`;

/** What the page has beyond the report's style sheet. */
export const pageStyle = `
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header .lead { margin-top: 0; }
form > fieldset {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1rem 1.5rem; align-items: start;
}
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.field { display: grid; gap: .25rem; }
.label { font-weight: 600; font-size: .88rem; padding: 0; }
.hint { color: var(--muted); font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }

.boxes .hint { display: block; margin-top: .25rem; }
@media screen and (min-width: 48rem) { .boxes:last-of-type { grid-column: span 2; } }
.boxes label { display: flex; gap: .5rem; align-items: baseline; padding: .2rem 0; font-size: .9rem; }
input:not([type=checkbox]), select, button { font: inherit; color: inherit; min-height: 2.5rem; border-radius: .4rem; }
input:not([type=checkbox]), select {
  width: 100%; min-width: 0; padding: .35rem .6rem; background: var(--background); border: 1px solid var(--control);
}
input[type=file] { padding: .45rem .6rem; }
input::placeholder { color: var(--muted); opacity: 1; }
input[type=checkbox] { accent-color: var(--series-2); width: 1rem; height: 1rem; flex: none; translate: 0 .15rem; }
button { padding: .35rem .9rem; background: var(--background); border: 1px solid var(--control); cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--ink); }
button:disabled { color: var(--muted); cursor: default; border-color: var(--grid); }
button.main { background: var(--ink); color: var(--background); border-color: var(--ink); font-weight: 600; padding-inline: 1.25rem; }
button.main:disabled { background: var(--background); color: var(--muted); border-color: var(--grid); }
:is(input, select, button, summary, a, .wide):focus-visible { outline: 2px solid var(--series-2); outline-offset: 2px; }
/* What is not on the screen is not laid out. */
section { content-visibility: auto; contain-intrinsic-size: auto 40rem; padding: 0 5px; margin: 0 -5px; }
.go { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; max-width: none; margin: 1.5rem 0; }
.progress { margin: 1rem 0; }
progress { width: 100%; height: .5rem; accent-color: var(--series-2); display: block; }
.stage { color: var(--muted); margin: .4rem 0; font-variant-numeric: tabular-nums; max-width: none; min-height: 1.55em; }
.progress pre { white-space: pre-wrap; max-height: 16rem; overflow: auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0 1.5rem; }
.figures figure, .curve figure { margin: .5rem 0; min-width: 0; }
figure svg { min-width: 0 !important; max-width: 100%; }
.figures svg, .curve svg { width: auto; }
.curve svg { width: 100%; max-width: 36rem; }
.curve { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 1rem 2rem; align-items: start; }
.curve .mark-symbol path { cursor: pointer; }
table.answers td.changed { font-weight: 600; }
table.picks { margin: .5rem 0; }
table.picks th { text-align: center; vertical-align: middle; padding: .1rem .5rem; border: 0; }
table.picks td { padding: 1px; border: 0; }
table.picks button { min-height: 1.75rem; width: 4.25rem; padding: 0 .25rem; border-radius: .2rem; border-color: transparent; font-size: .85rem; font-variant-numeric: tabular-nums; }
table.picks button:disabled { color: var(--ink); }
table.picks button:hover:not(:disabled) { border-color: var(--ink); }
table.picks button[aria-pressed=true] { border: 2px solid var(--ink); font-weight: 600; }
.ask { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
.ask .field { flex: 1 1 22rem; }
.tokens { font-size: 1.1rem; line-height: 2; max-width: none; }
.tokens span { white-space: pre-wrap; padding: .15rem 0; border-radius: .15rem; box-shadow: inset 0 -1px var(--grid); margin-right: 1px; }
td.likeliest { min-width: 20rem; }
.likely { white-space: nowrap; margin-right: .6rem; }
.saved { list-style: none; padding: 0; max-width: none; }
.saved button { min-width: 10rem; margin-right: .5rem; }
.warning h2 { margin-top: .5rem; }
.warning p { white-space: pre-wrap; overflow-wrap: anywhere; }
:root { --control: #868e98; }
@media screen and (prefers-color-scheme: dark) { :root { --control: #7d8792; } }
@media screen and (max-width: 48rem) {
  body { padding: 1.5rem 1rem 3rem; }
  .curve { grid-template-columns: minmax(0, 1fr); }
  table.picks { width: 100%; }
  table.picks button { width: 100%; min-height: 2.25rem; }
  .saved li { margin: .75rem 0; }
  .saved button { width: 100%; }
  .ask button { flex: 1 1 auto; }
}
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto !important; } }
`;

import { figure3 } from "@lethe/unlearn";
import { csvParse } from "d3-dsv";
import { describe, expect, it } from "vitest";
import { studyCells } from "../../src/cells/cell.ts";
import { colour, customProperties, seriesColour, standAlone } from "../../src/report/figures/colours.ts";
import { dataOf, withoutData } from "../../src/report/figures/data.ts";
import { renderFigure } from "../../src/report/figures/render.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { bleuFigure, isTrained, lossFigure } from "../../src/report/training.ts";
import { krsFigure } from "../../src/studies/restoration/figure.ts";
import { PAPER_KRS } from "../../src/studies/restoration/scores.ts";
import { restoration } from "../../src/studies/restoration/study.ts";
import { fakeResult } from "../fake-cell.ts";

const results = ["Harry Potter", "Netflix"].flatMap((concept) =>
  ["graddiff", "npo"].map((method) => fakeResult(concept, method, "<tiny> & co")),
);
const cells = studyCells(results, restoration);
const isolated = studyCells(
  ["Harry Potter", "Netflix"].flatMap((concept) =>
    ["graddiff", "npo"].map((method) => fakeResult(concept, method, "<tiny> & co", figure3)),
  ),
  restoration,
);
const krs = () => renderFigure(krsFigure("krs", cells, PAPER_KRS), panelsOf(cells));
/** Name, lines in a panel, and the drawing. */
const figures: [string, number, () => Promise<string>][] = [
  ["BLEU", 2, () => renderFigure(bleuFigure, panelsOf(results.filter(isTrained)))],
  ["loss", 1, () => renderFigure(lossFigure, panelsOf(results.filter(isTrained)))],
  ["KRS", 4, krs],
  ["isolated KRS", 3, () => renderFigure(krsFigure("krs-isolated", isolated, PAPER_KRS, true), panelsOf(isolated))],
];

describe.each(figures)("the %s figure", (_, lines, render) => {
  it("is the same text each time, and every number in it is finite", async () => {
    const first = await render();
    await krs();
    expect(await render()).toBe(first);
    expect(first).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("has a panel for each model and method, and escapes their names", async () => {
    const svg = await render();
    for (const method of ["Gradient Difference", "NPO"]) {
      expect(svg.split(`>&lt;tiny&gt; &amp; co · ${method}</text>`).length).toBe(2);
    }
    expect(svg).not.toContain("<tiny>");
    expect(svg).toMatch(/^<svg role="img" aria-label="[^"<]*&lt;tiny&gt; &amp; co/);
  });

  it("takes all its colours from the page, and as a file of its own from nowhere", async () => {
    const svg = await render();
    expect(svg).toContain("var(--");
    expect(svg).not.toMatch(/(fill|stroke)="#/);
    const alone = standAlone(svg);
    expect(alone).not.toContain("var(");
    expect(alone).toMatch(/fill="#ffffff"/);
    const [, dark = ""] = /<style>@media \(prefers-color-scheme:dark\){(.*?)}<\/style>/.exec(alone)!;
    const used = new Set([...alone.matchAll(/ (?:fill|stroke)="#\w+"/g)].map(([attribute]) => attribute.trim()));
    for (const attribute of used) expect(dark).toContain(`[${attribute}]{`);
  });

  it("tells the thin lines of its concepts apart, and says which is which", async () => {
    const svg = await render();
    expect(svg).toContain(">thin: ——— Harry Potter,  - - - Netflix<");
    expect(svg.match(/stroke-dasharray="5,3"/g)).toHaveLength(lines * panelsOf(cells).length);
    const many = Array.from({ length: 7 }, (_, i) => fakeResult(`Concept ${i}`));
    const figure = await renderFigure(lossFigure, panelsOf(many.filter(isTrained)));
    expect(figure).toContain(">thin: each of 7 concepts<");
    expect(figure).not.toContain('stroke-dasharray="5,3"');
  });
});

describe("a figure of concepts that models do not share", () => {
  const rows = [fakeResult("Netflix"), fakeResult("Harry Potter"), fakeResult("Harry Potter", "graddiff", "tiny-olmo")];

  it("has one pattern for a concept in all rows", async () => {
    const svg = await renderFigure(
      lossFigure,
      panelsOf([...rows, fakeResult("EBay", "graddiff", "tiny-olmo")].filter(isTrained)),
    );
    expect(svg).toContain(">thin: ——— Netflix,  - - - Harry Potter,  · · · EBay<");
    // Harry Potter has a line in both rows, EBay in the second.
    expect(svg.match(/stroke-dasharray="5,3"/g)).toHaveLength(2);
    expect(svg.match(/stroke-dasharray="1,2"/g)).toHaveLength(1);
  });

  it("begins a row of its own for a model where the one before has an odd number of panels", async () => {
    const heightWith = async (model: string) => {
      const cells = ["graddiff", "npo", "dpo"].map((method) => fakeResult("Netflix", method));
      const all = [...cells, fakeResult("Netflix", "ga", model)];
      const svg = await renderFigure(lossFigure, panelsOf(all.filter(isTrained)));
      return Number(/height="([\d.]+)"/.exec(svg)![1]);
    };
    expect(await heightWith("tiny-olmo")).toBeGreaterThan(1.3 * (await heightWith("tiny-llama")));
  });

  it("holds its values, the means with their bands and each concept's", async () => {
    const svg = await renderFigure(lossFigure, panelsOf(rows.filter(isTrained)));
    const values = csvParse(dataOf(svg));
    const llama = values.filter(({ panel, x }) => panel === "tiny-llama · Gradient Difference" && x === "1");
    expect(llama.map(({ values }) => values)).toEqual(["mean", "Netflix", "Harry Potter"]);
    const [mean, ...each] = llama.map(({ y }) => Number(y)) as [number, number, number];
    expect(mean).toBeCloseTo((each[0]! + each[1]!) / 2, 6);
    expect(Number(llama[0]!.low)).toBeCloseTo(Math.min(...each), 6);
    expect(Number(llama[0]!.high)).toBeCloseTo(Math.max(...each), 6);
    expect(withoutData(svg)).not.toContain("metadata");
  });
});

describe("colours", () => {
  it("are defined for a light and for a dark page, also for a longer list than there are colours", () => {
    for (const property of [colour("ink"), ...Array.from({ length: 20 }, (_, place) => seriesColour(place))]) {
      const declaration = `${property.slice("var(".length, -1)}: #`;
      for (const scheme of ["light", "dark"] as const) expect(customProperties(scheme)).toContain(declaration);
    }
  });

  it("differ from neighbour to neighbour", () => {
    const places = Array.from({ length: 20 }, (_, place) => standAlone(seriesColour(place)));
    for (let place = 1; place < places.length; place++) expect(places[place]).not.toBe(places[place - 1]);
  });
});

it("a figure shows a name as it is, whatever it would mean in a pattern", async () => {
  const named = panelsOf([fakeResult("Netflix", "npo", "$& and $1")].filter(isTrained));
  const svg = await renderFigure({ ...bleuFigure, description: "$`" }, named);
  expect(svg).toMatch(/^<svg role="img" aria-label="\$` Panels: \$&amp; and \$1 · NPO\."/);
});

import { describe, expect, it } from "vitest";
import { bleuFigure } from "../../src/report/figures/bleu.ts";
import { krsFigure } from "../../src/report/figures/krs.ts";
import { lossFigure } from "../../src/report/figures/loss.ts";
import { type FigureSpec, renderFigure } from "../../src/report/figures/render.ts";
import { lightTheme, pageTheme, type Theme } from "../../src/report/figures/theme.ts";
import { PAPER_KRS, panelsOf } from "../../src/report/panels.ts";
import { fakeResult } from "./results.ts";

const results = ["Harry Potter", "Netflix"].flatMap((concept) => [
  fakeResult(concept, "graddiff", "<tiny> & co"),
  fakeResult(concept, "npo", "<tiny> & co"),
]);
const panels = panelsOf(results);

const figures: [string, (theme: Theme) => FigureSpec][] = [
  ["KRS", (theme) => krsFigure("krs", panels, PAPER_KRS, theme)],
  ["BLEU", (theme) => bleuFigure("bleu", panels, theme)],
  ["loss", (theme) => lossFigure("loss", panels, theme)],
];

describe.each(figures)("the %s figure", (_, figure) => {
  it("is the same text each time, and holds no number that is none", async () => {
    const first = await renderFigure(figure(lightTheme), lightTheme);
    await renderFigure(figure(pageTheme), pageTheme);
    expect(await renderFigure(figure(lightTheme), lightTheme)).toBe(first);
    expect(first).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("has a panel for each model and method, and escapes their names", async () => {
    const svg = await renderFigure(figure(lightTheme), lightTheme);
    for (const method of ["Gradient Difference", "NPO"]) {
      expect(svg.split(`>&lt;tiny&gt; &amp; co · ${method}</text>`).length).toBe(2);
    }
    expect(svg).not.toContain("<tiny>");
    expect(svg).toMatch(/^<svg role="img" aria-label="[^"<]*&lt;tiny&gt; &amp; co/);
  });

  it("takes all its colours from the page when it is part of one", async () => {
    const svg = await renderFigure(figure(pageTheme), pageTheme);
    expect(svg).toContain("var(--");
    expect(svg).not.toMatch(/(fill|stroke)="#/);
  });
});

describe("the KRS figure", () => {
  const svg = () => renderFigure(krsFigure("krs", panels, PAPER_KRS, lightTheme), lightTheme);

  it("names every line at its end", async () => {
    for (const label of ["m", "W_V", "A", "m + A"]) expect((await svg()).split(`>${label}</text>`).length).toBe(3);
  });

  it("gives its clip paths names of its own, so that figures can share a page", async () => {
    const text = await svg();
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(id).toMatch(/^krs-/);
    for (const [, used] of text.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(used);
  });

  it("draws a collapsed model's curves without leaving its frame", async () => {
    const collapsed = fakeResult();
    collapsed.restoration.curves.A.paper.ratioOfMeans.fill(-40, 3, 6);
    const figure = krsFigure("krs", panelsOf([collapsed]), PAPER_KRS, lightTheme);
    const svg = await renderFigure(figure, lightTheme);
    expect(svg).toContain(">−0.4</text>");
    expect(svg).not.toContain(">−40</text>");
  });
});

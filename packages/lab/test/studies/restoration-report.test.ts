import { figure3, krs, settings } from "@lethe/unlearn";
import { csvParse } from "d3-dsv";
import { describe, expect, it } from "vitest";
import { studyCells } from "../../src/cells/cell.ts";
import { renderFigure } from "../../src/report/figures/render.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { krsCsv } from "../../src/studies/restoration/csv.ts";
import { krsFigure } from "../../src/studies/restoration/figure.ts";
import {
  centresOf,
  meanScores,
  PAPER_KRS,
  type RestorationCell,
  scoresOf,
} from "../../src/studies/restoration/scores.ts";
import { sections } from "../../src/studies/restoration/sections.ts";
import { restoration } from "../../src/studies/restoration/study.ts";
import { fakeResult } from "../fake-cell.ts";

/** A made-up cell as the restoration study sees it. */
function fakeCell(...names: Parameters<typeof fakeResult>): RestorationCell {
  return structuredClone(studyCells([fakeResult(...names)], restoration)[0]!);
}

/** The same cell, swept with a stride. */
function strided({ options, result, ...cell }: RestorationCell, windowStride: number): RestorationCell {
  const kept = <L>(list: readonly L[]) => list.filter((_, layer) => layer % windowStride === 0);
  const restored = Object.entries(result.restored).map(([name, { paper, released }]) => [
    name,
    { paper: kept(paper), released: kept(released) },
  ]);
  return {
    ...cell,
    options: { ...options, windowStride },
    result: { ...result, centres: kept(result.centres), restored: Object.fromEntries(restored) },
  };
}

const render = (cells: readonly RestorationCell[]) => renderFigure(krsFigure("krs", cells, PAPER_KRS), panelsOf(cells));

describe("krs.csv", () => {
  it("holds every score, computed from the losses, whatever the names", () => {
    const concept = 'Say "no", twice\nor more';
    const cell = fakeCell(concept, "npo", "a,b");
    const rows = csvParse(krsCsv([cell]));
    expect(rows.columns).toEqual([
      "model",
      "concept",
      "method",
      "seed",
      "setting",
      "layer",
      "alignment",
      "aggregation",
      "krs",
    ]);
    expect(rows.length).toBe(4 * 12 * 2 * 2);
    const row = rows.find(
      (row) =>
        row.setting === "W_V" &&
        row.layer === "5" &&
        row.alignment === "released" &&
        row.aggregation === "meanOfRatios",
    )!;
    expect(row).toMatchObject({ model: "a,b", concept, method: "npo" });
    const { base, restored } = cell.result;
    expect(Number(row.krs)).toBe(krs(base.released, restored.W_V.released[5]!).meanOfRatios);
  });
});

describe("several seeds", () => {
  const withSeed = (cell: RestorationCell, seed: number): RestorationCell => {
    return { ...cell, config: { ...cell.config, seed } };
  };
  const cells = [
    fakeCell("Netflix"),
    withSeed(fakeCell("Netflix", "npo"), 1),
    withSeed(fakeCell("Netflix", "npo", "other"), 2),
    fakeCell("Austria"),
  ].map((cell, i) => ({ ...cell, config: { ...fakeCell(i < 3 ? "Netflix" : "Austria").config, seed: i % 3 } }));

  it("are averaged before concepts, and have a row and a thin line for each concept", async () => {
    const [first, second, third, austria] = cells.map((cell) => scoresOf(cell, "A", PAPER_KRS));
    const means = meanScores(cells, "A", PAPER_KRS);
    for (const [i, value] of means.entries())
      expect(value).toBeCloseTo(((first![i]! + second![i]! + third![i]!) / 3 + austria![i]!) / 2, 12);
    const { summary, sections: shown, files } = await sections(cells);
    expect(summary.text).toMatch(/Gradient Difference<\/th><td class="number">2<\/td><td class="number">3<\/td>/);
    const rows = shown[2]!.body.text.match(/Gradient Difference<\/th><td>(Netflix|Austria)</g);
    expect(rows).toHaveLength(2);
    expect(files["figures/krs.svg"]).toContain(">mean: 2 concepts, 3 seeds<");
    expect(files["figures/krs-controls.svg"]).toContain(">thin: ——— Netflix,  - - - Austria<");
    expect(csvParse(files["krs.csv"]!).filter(({ seed }) => seed === "1")).toHaveLength(4 * 12 * 2 * 2);
  });
});

describe("a sweep over every fifth layer", () => {
  const wide = fakeCell("Harry Potter");
  const sparse = strided(fakeCell("Netflix"), 5);

  it("is written and shown by its layers", async () => {
    const { summary, sections: shown, files } = await sections([sparse]);
    const rows = csvParse(files["krs.csv"]!);
    expect(new Set(rows.map(({ layer }) => layer))).toEqual(new Set(["0", "5", "10"]));
    const { base, restored } = sparse.result;
    const last = rows.find(({ layer, setting }) => layer === "10" && setting === "m")!;
    expect(Number(last.krs)).toBe(krs(base.paper, restored.m.paper[2]!).ratioOfMeans);
    expect(summary.text).toMatch(/at\u00a0(0|5|10)</);
    expect(summary.text).toContain("multiple of 5 was a centre");
    expect(shown[2]!.body.text).toContain('<th scope="row">10</th>');
    expect(shown[2]!.body.text).not.toContain('<th scope="row">1</th>');
  });

  it("is averaged with a sweep over every layer where both have a score", () => {
    expect(centresOf([wide, sparse])).toEqual([0, 5, 10]);
    const [one, other] = [wide, sparse].map((cell) => scoresOf(cell, "A", PAPER_KRS));
    expect(meanScores([wide, sparse], "A", PAPER_KRS)).toEqual([0, 1, 2].map((i) => (one![5 * i]! + other![i]!) / 2));
  });
});

describe("the KRS figure", () => {
  const cells = [fakeCell("Harry Potter"), fakeCell("Netflix")];

  it("names every line at its end", async () => {
    const svg = await render(cells);
    for (const label of ["m", "W_V", "A", "m + A"]) expect(svg.split(`>${label}</text>`).length).toBe(2);
  });

  it("cuts off a collapsed model's curves, with clip paths whose names no other figure uses", async () => {
    const collapsed = fakeCell();
    for (const losses of collapsed.result.restored.A.paper.slice(3, 6)) losses.fill(200);
    const svg = await render([collapsed]);
    expect(svg).toContain(">−0.4</text>");
    expect(svg).not.toContain(">−40</text>");
    const ids = [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(id).toMatch(/^krs-/);
    for (const [, used] of svg.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(used);
    expect((await sections([collapsed])).sections[0]!.body.text).toMatch(
      /Scores below −0.50 are cut off; the lowest is −\d/,
    );
  });
});

describe("the restoration study's sections", () => {
  it("show the settings that were swept and no others", async () => {
    const cell = fakeCell();
    const { m, "m+A": both } = cell.result.restored;
    const { summary, files } = await sections([
      { ...cell, result: { ...cell.result, restored: { m, "m+A": both } as never } },
    ]);
    expect(summary.text).toContain(">KRS m + A<");
    expect(summary.text).not.toContain("KRS W_V");
    expect(new Set(csvParse(files["krs.csv"]!).map(({ setting }) => setting))).toEqual(new Set(["m", "m+A"]));
    // A setting keeps its colour whichever others are shown.
    expect(files["figures/krs.svg"]).toContain("#1b1f24");
    expect(files["figures/krs.svg"]).not.toContain("#009e73");
  });

  it("draw what was isolated in a figure of its own, with a component's own colour", async () => {
    const both = await sections([fakeCell("Netflix", "npo", "tiny-llama", settings)]);
    expect(both.sections.map(({ title }) => title).slice(0, 3)).toEqual([
      "Recovery by layer",
      "Each component beside its controls",
      "Isolated recovery by layer",
    ]);
    const [krs, isolated] = ["krs", "krs-isolated"].map((name) => both.files[`figures/${name}.svg`]!);
    for (const { label } of figure3) {
      expect(krs).not.toContain(label);
      expect(isolated).toContain(`>${label}</text>`);
    }
    // The green of W_V.
    expect(krs).toContain("#009e73");
    expect(isolated).toContain("#009e73");
    expect(both.summary.text).not.toContain("isolated");
    expect(both.sections[3]!.body.text).toContain(">KRS m isolated<");
    expect(new Set(csvParse(both.files["krs.csv"]!).map(({ setting }) => setting)).size).toBe(7);

    const alone = await sections([fakeCell("Netflix", "npo", "tiny-llama", figure3)]);
    expect(Object.keys(alone.files)).toEqual([
      "krs.csv",
      "figures/krs-isolated.svg",
      "figures/krs-isolated-controls.svg",
    ]);
    expect(alone.summary.text).toContain(">KRS m isolated<");
    const four = await sections([fakeCell()]);
    expect(Object.keys(four.files)).toEqual([
      "krs.csv",
      "figures/krs.svg",
      "figures/krs-controls.svg",
      "figures/krs-released.svg",
    ]);
  });

  it("call a method by its title in tables and by its name in krs.csv", async () => {
    const { summary, files } = await sections([fakeCell("Netflix", "graddiff")]);
    expect(summary.text).toContain('<th scope="row">tiny-llama · Gradient Difference</th>');
    expect(summary.text).not.toContain("graddiff");
    expect(files["krs.csv"]).toContain(",graddiff,");
  });
});

import { csvParse } from "d3-dsv";
import { expect, it } from "vitest";
import { standAlone } from "../../src/report/figures/colours.ts";
import { dataOf } from "../../src/report/figures/data.ts";
import { type DotRow, dotsPanel } from "../../src/report/figures/dots.ts";
import { renderFigure } from "../../src/report/figures/render.ts";
import { panelsOf } from "../../src/report/panels.ts";
import { fakeResult } from "../fake-cell.ts";

const panels = panelsOf([fakeResult("Netflix", "npo"), fakeResult("EBay", "npo")]);
const rows: DotRow[] = [
  { label: "first", place: 0, dot: { value: 0.4, low: 0.1, high: 0.7 }, beside: [0.25, null] },
  { label: "for comparison", dot: { value: 0 }, beside: [0.5, 1] },
  { label: "without a value", place: 2, dot: null, beside: [null, null] },
];

function figure(beside: readonly string[], domain: readonly [number, number] = [0, 1]) {
  const draw = (panel: (typeof panels)[number]) =>
    dotsPanel(panel, {
      width: 250,
      x: { title: "share", domain, axis: {} },
      rows,
      over: "questions of 2 concepts",
      beside,
    });
  return renderFigure({ name: "dots", description: "Dots.", draw }, panels);
}

it("a figure of rows names each, with or without a value, and what the grey marks are", async () => {
  const svg = await figure(["noise", "never"]);
  for (const { label } of rows) expect(svg).toContain(`>${label}</text>`);
  expect(svg).toMatch(/>grey squares: noise<.*>grey triangles: never</);
  expect(svg).toContain(">questions of 2 concepts<");
  expect(await figure(["noise", "never"])).toBe(svg);
  expect(await figure([])).not.toContain("grey");
  expect(svg).not.toMatch(/NaN|undefined|(fill|stroke)="#/);
  expect(standAlone(svg)).not.toContain("var(");
});

it("it holds its values with their intervals, and those of the controls", async () => {
  const [first, ...others] = csvParse(dataOf(await figure(["noise", "never"])));
  expect(first).toMatchObject({ line: "first", values: "mean", x: "0", y: "0.4", low: "0.1", high: "0.7" });
  expect(others.map(({ line, values, y, low }) => [line, values, y, low])).toEqual([
    ["first", "noise", "0.25", ""],
    ["for comparison", "mean", "0", ""],
    ["for comparison", "noise", "0.5", ""],
    ["for comparison", "never", "1", ""],
  ]);
});

it("it marks 0 where the axis goes below it", async () => {
  const lines = (svg: string) => svg.match(/<line [^>]*stroke="var\(--muted\)"/g)?.length ?? 0;
  expect(lines(await figure([], [-1, 1]))).toBe(lines(await figure([])) + 1);
});

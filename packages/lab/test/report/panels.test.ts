import { expect, test } from "vitest";
import { byConcept, endOfBleu, meanOfCells, meanOfLists } from "../../src/report/panels.ts";
import { fakeResult } from "../fake-cell.ts";

test("a run that ended early goes on at its last value in the mean", () => {
  expect(
    meanOfLists([
      [1, 0.5, 0.25],
      [1, 0],
    ]),
  ).toEqual([1, 0.25, 0.125]);
});

test("cells are averaged over seeds, and then over concepts", () => {
  const cells = [
    ["Netflix", 0, 0.2],
    ["Austria", 0, 0.9],
    ["Netflix", 1, 0.4],
    ["Netflix", 2, 0.6],
  ].map(([concept, seed, bleu]) => {
    const { config, subject } = fakeResult(concept as string);
    const scores = { ...subject.bleu, target: [1, bleu as number] };
    return { config: { ...config, seed: seed as number }, subject: { ...subject, bleu: scores } };
  });
  expect(byConcept(cells).map((seeds) => seeds.map(({ config }) => config.seed))).toEqual([[0, 1, 2], [0]]);
  expect(endOfBleu(cells, "target")).toBeCloseTo((0.4 + 0.9) / 2, 12);
  expect(meanOfCells(cells, ({ config }) => [config.seed, 1])).toEqual([0.5, 1]);
});

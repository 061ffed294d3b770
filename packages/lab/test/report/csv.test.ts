import { csvParse } from "d3-dsv";
import { expect, it } from "vitest";
import { krsCsv } from "../../src/report/csv.ts";
import { fakeResult } from "./results.ts";

it("krs.csv holds every score in long form, whatever the names", () => {
  const name = 'Say "no", twice\nor more';
  const cell = fakeResult(name, "npo", "a,b");
  const rows = csvParse(krsCsv([cell]));
  expect(rows.columns).toEqual(["model", "concept", "method", "setting", "layer", "alignment", "aggregation", "krs"]);
  expect(rows.length).toBe(4 * 12 * 2 * 2);
  const row = rows.find(
    (row) =>
      row.setting === "W_V" && row.layer === "5" && row.alignment === "released" && row.aggregation === "meanOfRatios",
  )!;
  expect(row).toMatchObject({ model: "a,b", concept: name, method: "npo" });
  expect(Number(row.krs)).toBe(cell.restoration.curves.W_V.released.meanOfRatios[5]);
});

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { krs, MetricError } from "@lethe/unlearn";
import { describe, expect, it } from "vitest";
import { assembleCell } from "../../src/experiment/cell.ts";
import {
  CellFileError,
  cellPath,
  parseCell,
  readCell,
  serializeCell,
  writeCell,
} from "../../src/experiment/cell-file.ts";
import { fakeConfig, fakeMeasurements } from "./fake-cell.ts";
import { Workshop } from "./workshop.ts";

const config = fakeConfig();
const result = assembleCell(config, fakeMeasurements(config));
const text = serializeCell(result);

/** The file's text with one change to its content. */
function changed(change: (file: ReturnType<typeof parseCell>) => void): string {
  const file = JSON.parse(text);
  change(file);
  return JSON.stringify(file);
}

describe("a cell's result file", () => {
  it("holds the scores that its losses give", () => {
    const { base, curves } = result.restoration;
    for (const [layer, losses] of curves["m+A"].released.losses.entries()) {
      const score = krs(base.released, losses);
      expect(curves["m+A"].released.ratioOfMeans[layer]).toBe(score.ratioOfMeans);
      expect(curves["m+A"].released.meanOfRatios[layer]).toBe(score.meanOfRatios);
    }
  });

  it("comes back as it was, and is written again with the same bytes", () => {
    const back = parseCell(text, "cell.json");
    expect(serializeCell(back)).toBe(text);
    expect(back.config).toEqual(config);
    expect(back.steps.length).toBe(40);
    // Losses are 32-bit floats, which nine digits hold exactly.
    const floats = (losses: number[][]) => losses.map((layer) => layer.map(Math.fround));
    expect(floats(back.restoration.curves.A.paper.losses)).toEqual(result.restoration.curves.A.paper.losses);
  });

  it("has the same bytes whatever the order of keys it was made from", () => {
    const reversed = (value: unknown): unknown =>
      value === null || typeof value !== "object" || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, entry]) => [key, reversed(entry)]),
          );
    expect(serializeCell(reversed(result) as typeof result)).toBe(text);
  });

  it("writes minus zero as zero", () => {
    const measurements = fakeMeasurements(config);
    measurements.steps[0]!.loss = -0;
    expect(serializeCell(assembleCell(config, measurements))).not.toContain("-0,");
  });

  it("is not made from a number that is not finite, or from a model that did not change", () => {
    const measurements = fakeMeasurements(config);
    measurements.steps[3]!.loss = Number.NaN;
    expect(() => assembleCell(config, measurements)).toThrow(/steps/);
    const unchanged = fakeMeasurements(config);
    unchanged.restoration.base.paper[1] = 0;
    expect(() => assembleCell(config, unchanged)).toThrow(MetricError);
    const short = fakeMeasurements(config);
    short.restoration.restored.A.paper.pop();
    expect(() => assembleCell(config, short)).toThrow(/curve of A \(paper\).*11/);
  });

  it.each([
    ["is cut off", text.slice(0, text.length / 2), /not complete JSON/],
    ["is empty", "", /not complete JSON/],
    ["is null", "null", /format version unknown/],
    ["is of another version", changed((file) => Object.assign(file, { version: 2 })), /format version 2.*reads 1/],
    ["lacks a field", changed((file) => Reflect.deleteProperty(file, "bleu")), /bleu/],
    ["has a field too many", changed((file) => Object.assign(file, { seconds: 3 })), /seconds/],
    ["has a loss below 0", changed((file) => file.restoration.base.paper.splice(0, 1, -1)), /base/],
    [
      "has a score changed",
      changed((file) => file.restoration.curves.m.paper.ratioOfMeans.splice(2, 1, 0.9)),
      /says ratioOfMeans 0.9 at layer 2/,
    ],
    ["lacks a layer", changed((file) => file.restoration.curves.A.released.losses.pop()), /curve of A \(released\)/],
    ["lacks an epoch", changed((file) => file.bleu.target.pop()), /BLEU has 10 target and 11 unrelated/],
  ])("is refused when it %s", (_, damaged, message) => {
    expect(() => parseCell(damaged, "cell.json")).toThrow(CellFileError);
    expect(() => parseCell(damaged, "cell.json")).toThrow(message);
  });

  it("replaces what an interrupted write has left, and leaves nothing beside it", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    await mkdir(join(out, "cells"), { recursive: true });
    await writeFile(`${cellPath(out, "a")}.partial`, text.slice(0, 100));
    await writeCell(out, "a", result);
    expect(await readdir(join(out, "cells"))).toEqual(["a.json"]);
    expect(await readFile(cellPath(out, "a"), "utf8")).toBe(text);
    expect(serializeCell(await readCell(cellPath(out, "a")))).toBe(text);
  });
});

import { relativeChange, squaresTogether } from "@lethe/unlearn";
import { csvParse } from "d3-dsv";
import { describe, expect, it } from "vitest";
import { studyCells } from "../../src/cells/cell.ts";
import { changeByLayer, lowestCosine, type WeightsCell, weightsOf } from "../../src/studies/weights/scores.ts";
import { sections } from "../../src/studies/weights/sections.ts";
import { weights } from "../../src/studies/weights/study.ts";
import { fakeResult } from "../fake-cell.ts";

/** A made-up cell as the weights study sees it. */
function fakeCell(concept: string): WeightsCell {
  const result = fakeResult(concept, "npo", "tiny-llama", undefined, { weights: {} });
  return structuredClone(studyCells([result], weights)[0]!);
}

/** The same cell without some of its weights. */
function without(cell: WeightsCell, part: string): WeightsCell {
  return { ...cell, result: { weights: cell.result.weights.filter(({ name }) => !name.includes(part)) } };
}

const cells = [fakeCell("Harry Potter"), fakeCell("Netflix")];

describe("the weights study", () => {
  it("has a line in weights.csv for every weight, with what its sums and norms say", async () => {
    const { files } = await sections(cells);
    const rows = csvParse(files["weights.csv"]!);
    expect(rows).toHaveLength(2 * cells[0]!.result.weights.length);
    const row = rows.find(({ weight }) => weight === "model.layers.3.mlp.up_proj.weight")!;
    expect(row).toMatchObject({ concept: "Harry Potter", method: "npo", seed: "0", group: "up", layer: "3" });
    const { change } = cells[0]!.result.weights.find(({ name }) => name === row.weight)!;
    expect(Number(row.relativeChange)).toBeCloseTo(Math.sqrt(change / 64), 12);
    expect(Number(row.stableRank)).toBeCloseTo(5, 6);
    // A vector has one norm.
    expect(rows.find(({ weight }) => weight === "model.norm.weight")).toMatchObject({ layer: "", stableRank: "" });
  });

  it("shows the lowest cosine of unembedding and norms, and never rounds one up to 1", async () => {
    const { summary } = await sections(cells);
    const lowest = lowestCosine(cells, "norms")!;
    expect(lowest).toBeLessThan(1);
    expect(summary.text).toMatch(/<td[^>]*>0.9999\d<\/td><\/tr>/);
    expect(summary.text).not.toContain(">1.00000<");
    const own = weightsOf(cells[0]!, "unembedding");
    expect(own.map(({ name }) => name)).toEqual(["lm_head.weight"]);
  });

  it("says where there are no norm weights, and where the unembedding is the embedding", async () => {
    const bare = cells.map((cell) => without(cell, "norm"));
    expect((await sections(bare)).summary.text).toContain(">no weights<");
    const tied = cells.map((cell) => without(cell, "lm_head"));
    expect(weightsOf(tied[0]!, "unembedding")).toEqual(weightsOf(tied[0]!, "embedding"));
    expect((await sections(tied)).summary.text).toContain("(the embedding, tied)");
  });

  it("judges the paper's claim by the minor components that a model has", () => {
    const judged = (part: string) => {
      const [finding] = weights.findings!(cells.map((cell) => without(cell, part)));
      return { id: finding!.id, verdict: finding!.verdict, also: finding!.also };
    };
    const id = "weights.minor-components";
    expect(judged("nothing")).toMatchObject({
      id,
      verdict: "holds",
      also: expect.stringMatching(/unembedding .*norms/),
    });
    // OLMo has no weights in its norms.
    expect(judged("norm")).toMatchObject({ id, verdict: "holds", also: expect.not.stringContaining("norms") });
  });

  it("draws a line for each group of matrices, and takes the weights of a layer together", async () => {
    const { files, sections: shown } = await sections(cells);
    for (const label of ["q", "k", "v", "o", "gate", "up", "down"])
      expect(files["figures/weights.svg"]!.split(`>${label}</text>`).length).toBe(2);
    const unchanged = cells.map((cell) => ({
      ...cell,
      result: { weights: cell.result.weights.map((weight) => ({ ...weight, unlearned: weight.vanilla, change: 0 })) },
    }));
    expect((await sections(unchanged)).files["figures/weights.svg"]).not.toMatch(/NaN|Infinity|undefined/);
    expect(shown[0]!.body.text).toContain('<th scope="row">norms</th>');
    const [first] = cells;
    const norms = first!.result.weights.filter(({ name }) => name.startsWith("model.layers.2.input"));
    expect(changeByLayer(first!, "norms")[2]).toBe(relativeChange(squaresTogether(norms)));
    expect(changeByLayer(first!, "q")).toHaveLength(12);
  });
});

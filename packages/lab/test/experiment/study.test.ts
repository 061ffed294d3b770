import { existsSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assembleCell } from "../../src/experiment/cell.ts";
import { configureCells, planCells } from "../../src/experiment/cells.ts";
import { openStudy } from "../../src/experiment/study.ts";
import type { Cell, Study } from "../../src/experiment/types.ts";

const root = join(import.meta.dirname, "../../../..");
const benchmark = join(root, "../shared/data/conceptvectors/llama2-7b_concepts_test_30tokens_answers.json");

/** Cells small enough for a test: one epoch, short texts, a few questions, windows of three layers. */
async function smallCells(
  data: string,
  names: readonly string[],
  methods: readonly ("graddiff" | "npo")[],
  model = "tiny-llama",
): Promise<Cell[]> {
  const concepts = await loadConcepts(data);
  const chosen = concepts.filter(({ name }) => names.includes(name));
  const cells = await configureCells(
    planCells([{ directory: join(root, "models", model), file: { path: data, concepts }, chosen }], methods),
    "smoke",
    0,
  );
  return cells.map(({ config, ...cell }) => ({
    ...cell,
    config: {
      ...config,
      training: { ...config.training, warmupEpochs: 0, epochs: 1, stepsPerEpoch: 4, maxTokens: 64 },
      evaluation: { ...config.evaluation, targetQuestions: 3, unrelatedQuestions: 4, windowRadius: 1 },
    },
  }));
}

describe("the study on the committed tiny models", () => {
  let study: Study;
  beforeAll(async () => {
    study = await openStudy();
  });
  afterAll(() => study.close());
  const remarks: string[] = [];
  const run = (cell: Cell) =>
    study.runCell(
      cell,
      () => {},
      (line) => remarks.push(line),
    );

  test("the vanilla model knows its answers, forgets some, and gets part of them back", async () => {
    const cells = [
      ...(await smallCells(join(root, "data/llama.json"), ["Harry Potter", "Austria"], ["graddiff", "npo"])),
      ...(await smallCells(join(root, "data/olmo.json"), ["Olympic Games"], ["graddiff"], "tiny-olmo")),
    ];
    const results = [];
    for (const cell of cells) results.push(await run(cell));
    for (const [i, result] of results.entries()) {
      const { vanilla, bleu, examples, steps } = result;
      expect(vanilla).toEqual({ targetExact: 1, unrelatedExact: 1 });
      expect([bleu.target[0], bleu.unrelated[0], bleu.target.length, steps.length]).toEqual([1, 1, 2, 4]);
      expect(examples.target[0]!.before).toBe(cells[i]!.concept.answers![0]);
      const { restoration } = assembleCell(cells[i]!.config, result);
      for (const setting of SETTINGS) {
        const curve = restoration.curves[setting].paper.ratioOfMeans;
        expect(curve).toHaveLength(12);
        expect(Math.max(...curve), setting).toBeGreaterThan(0);
        expect(Math.max(...curve), setting).toBeLessThan(1);
      }
      const peak = (setting: "m+A" | "W_V") => Math.max(...restoration.curves[setting].paper.ratioOfMeans);
      expect(peak("m+A")).toBeGreaterThan(peak("W_V"));
    }
    expect(remarks).toEqual([]);
    // A cell's result depends on nothing but the cell: the first again, after the others, to the last bit.
    expect(await run(cells[0]!)).toEqual(results[0]);
  });

  test.skipIf(!existsSync(benchmark))(
    "reads the ConceptVectors benchmark (skipped where ../shared is absent)",
    async () => {
      const [cell] = await smallCells(benchmark, ["Harry Potter"], ["npo"]);
      const result = await run(cell!);
      // The tiny model never saw these questions: it answers something, and not what a 7B model answers.
      expect(result.vanilla).toEqual({ targetExact: 0, unrelatedExact: null });
      expect(remarks).toEqual([
        expect.stringMatching(/^before unlearning, tiny-llama gives .* 0% of the target questions;/),
      ]);
      expect(result.restoration.base.paper.every((loss) => loss > 0)).toBe(true);
    },
  );
});

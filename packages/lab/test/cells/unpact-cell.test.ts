import { join, resolve } from "node:path";
import { isRight } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CELL_VERSION, type Cell, studyCells } from "../../src/cells/cell.ts";
import { parseCell, serializeCell } from "../../src/cells/cell-file.ts";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { planCells } from "../../src/cells/plan.ts";
import type { CellRunner } from "../../src/cells/run-cells.ts";
import { unpact } from "../../src/studies/unpact/study.ts";

const root = join(import.meta.dirname, "../../../..");
const studies = [unpact];

let runner: CellRunner;
beforeAll(async () => {
  runner = await openDeviceRunner(studies);
});
afterAll(() => runner.close());

/** A cell that is small enough for a test: a few steps, questions and prompts. */
async function smallCell(): Promise<Cell> {
  const path = join(root, "data/llama.json");
  const concepts = await loadConcepts(path);
  const planned = {
    directory: resolve(root, "models/tiny-llama"),
    file: { path, concepts },
    concepts: concepts.filter(({ name }) => name === "Harry Potter"),
  };
  const [cell] = await planCells([planned], {
    preset: "smoke",
    seeds: [0],
    subjects: { unlearned: ["npo"] },
    studies,
    studyOptions: {
      unpact: {
        targetQuestions: 2,
        otherQuestions: 1,
        templates: ["focus"],
        contexts: [],
        samples: 1,
        compare: { attributions: ["attention-mass"], questions: 1 },
      },
    },
    recipes: { records: [], changes: {} },
  });
  const { config } = cell!;
  const small = { learningRate: 2e-3, warmupEpochs: 0, epochs: 1, steps: null, stepsPerEpoch: 4, maxTokens: 64 };
  const training = { ...(config.subject as { training: object }).training, ...small, gradientAccumulation: 1 };
  return {
    ...cell!,
    config: {
      ...config,
      subject: { ...config.subject, training } as Cell["config"]["subject"],
      evaluation: { ...config.evaluation, targetQuestions: 3, unrelatedQuestions: 3, maxAnswerTokens: 16 },
    },
  };
}

test("a cell of the unPact study, from its training to its file and its report", async () => {
  const cell = await smallCell();
  const watcher = { progress() {}, remark() {}, signal: new AbortController().signal };
  const measured = await runner.runCell(cell, watcher);
  const text = serializeCell({ version: CELL_VERSION, config: cell.config, ...measured }, studies);
  const parsed = parseCell(text, cell.id, studies);
  expect(serializeCell(parsed, studies)).toBe(text);

  const cells = studyCells([parsed], unpact);
  const { judged, attributed } = cells[0]!.result;
  // The answers that are judged are those that the cell's record shows.
  const { name, threshold } = cell.config.evaluation.judge;
  for (const kind of ["target", "unrelated"] as const)
    for (const [place, { question, expected, after }] of parsed.subject.examples[kind].entries())
      expect(judged[kind][place]).toMatchObject({
        question,
        before: true,
        after: isRight(name, { question, expected: expected!, answer: after }, threshold),
      });
  expect(judged.target.some(({ after }) => !after)).toBe(true);
  // Unlearning changed what the words contribute.
  for (const { vanilla, subject } of attributed.target) expect(subject.vanilla).not.toEqual(vanilla.vanilla);

  const { sections, summary } = await unpact.sections(cells);
  const page = [summary, ...sections.map(({ body }) => body)].map(({ text }) => text).join("\n");
  expect(page).toContain("Harry");
  expect(page).not.toMatch(/NaN|undefined/);
  expect(unpact.findings!(cells).map(({ id }) => id)).toContain("unpact.emphasis");
});

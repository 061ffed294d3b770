import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadModel } from "@lethe/auto";
import { folderOf, readText } from "@lethe/decoder";
import { openDevice } from "@lethe/tensor";
import { figure1, type RestorationLosses, type SettingName } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CELL_VERSION, type Cell } from "../../src/cells/cell.ts";
import { parseCell, serializeCell } from "../../src/cells/cell-file.ts";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { planCells } from "../../src/cells/plan.ts";
import type { CellRunner } from "../../src/cells/run-cells.ts";
import { readRecords } from "../../src/recipes/read-records.ts";
import { studies } from "../../src/studies/list.ts";
import { PAPER_KRS, scoresOf } from "../../src/studies/restoration/scores.ts";
import { words } from "../words-study.ts";

const root = join(import.meta.dirname, "../../../..");
const benchmark = join(root, "../shared/data/conceptvectors/llama2-7b_concepts_test_30tokens_answers.json");
const bothStudies = [...studies, words];
const RADIUS = 1;
/** Windows around every second layer: each layer is in one. */
const STRIDE = 2;

interface Wanted {
  readonly data: string;
  readonly concepts: readonly string[];
  readonly methods?: readonly string[];
  readonly unlearned?: readonly string[];
  readonly model?: string;
}

/** Cells small enough for a test: one epoch, short texts, a few questions, windows of three layers. */
async function smallCells({ data, concepts: names, methods = [], unlearned = [], model = "tiny-llama" }: Wanted) {
  const concepts = await loadConcepts(data);
  const planned = {
    directory: resolve(root, "models", model),
    file: { path: data, concepts },
    concepts: concepts.filter(({ name }) => names.includes(name)),
  };
  const subjects = { unlearned: methods, given: unlearned };
  const recipes = { records: await readRecords(join(root, "data/recipes")), changes: {} };
  const cells = await planCells([planned], { preset: "smoke", seeds: [0], subjects, studies: bothStudies, recipes });
  return cells.map(({ config: { subject, evaluation, ...config }, ...cell }): Cell => {
    // A model that is not on record would have the recipe of a large one.
    const batches = { gradientAccumulation: 1, checkpointing: false };
    const short = { warmupEpochs: 0, epochs: 1, stepsPerEpoch: 4, maxTokens: 64, ...batches };
    return {
      ...cell,
      config: {
        ...config,
        subject: "training" in subject ? { ...subject, training: { ...subject.training, ...short } } : subject,
        evaluation: { ...evaluation, targetQuestions: 3, unrelatedQuestions: 4 },
        studies: {
          ...config.studies,
          restoration: { ...(config.studies.restoration as object), windowRadius: RADIUS, windowStride: STRIDE },
        },
      },
    };
  });
}

/** The counts of questions that a model all knows. */
const allKnown = (asked: number) => ({ asked, judged: asked, right: asked, silent: 0, unknown: 0, compared: asked });

const llamaData = join(root, "data/llama.json");

/** A copy of a tiny model with one weight all of whose bytes are the same. */
async function damagedCopy(folder: string, weight: string, byte: number): Promise<string> {
  const copy = join(folder, "damaged");
  await rm(copy, { recursive: true, force: true });
  await cp(join(root, "models/tiny-llama"), copy, { recursive: true });
  const path = join(copy, "model.safetensors");
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const [from, to] = JSON.parse(bytes.toString("utf8", 8, start))[weight].data_offsets;
  await writeFile(path, bytes.fill(byte, start + from, start + to));
  return copy;
}

describe("cells on the committed tiny models", () => {
  let runner: CellRunner;
  let folder: string;
  beforeAll(async () => {
    runner = await openDeviceRunner(bothStudies);
    folder = await mkdtemp(join(tmpdir(), "lethe-given-"));
  });
  afterAll(async () => {
    await runner.close();
    await rm(folder, { recursive: true });
  });
  const remarks: string[] = [];
  /** The lines that say how an epoch ended. */
  const epochs: string[] = [];
  /** What is shown of the vanilla model's answers. */
  const shown: string[] = [];
  const remark = (line: string) => {
    const place = line.startsWith("epoch ") ? epochs : line.startsWith("the vanilla model") ? shown : remarks;
    place.push(line);
  };
  const run = async (cell: Cell, signal = new AbortController().signal, progress: () => void = () => {}) => {
    const measured = await runner.runCell(cell, { progress, remark, signal });
    const text = serializeCell({ version: CELL_VERSION, config: cell.config, ...measured }, bothStudies);
    return parseCell(text, cell.id, bothStudies);
  };
  const curve = ({ config, subject, studies }: Awaited<ReturnType<typeof run>>, setting: SettingName) => {
    const options = config.studies.restoration as never;
    return scoresOf({ config, subject, options, result: studies.restoration as RestorationLosses }, setting, PAPER_KRS);
  };

  test("the vanilla model knows its answers, forgets some, and gets part of them back", async () => {
    const cells = [
      ...(await smallCells({ data: llamaData, concepts: ["Harry Potter"], methods: ["graddiff", "npo"] })),
      ...(await smallCells({ data: llamaData, concepts: ["Austria"], methods: ["npo"] })),
      ...(await smallCells({
        data: join(root, "data/olmo.json"),
        concepts: ["Olympic Games"],
        methods: ["graddiff"],
        model: "tiny-olmo",
      })),
    ];
    const results = [];
    for (const cell of cells) results.push(await run(cell));
    for (const [i, result] of results.entries()) {
      const { vanilla, bleu, examples, ...rest } = result.subject;
      expect(vanilla).toEqual({ target: allKnown(3), unrelated: allKnown(4) });
      expect([bleu.target[0], bleu.unrelated[0], bleu.target.length]).toEqual([1, 1, 2]);
      expect(rest).toMatchObject({ steps: [{ epoch: 1 }, {}, {}, {}] });
      const { answers } = cells[i]!.sources.concept;
      expect(examples.target[0]!.before).toBe(answers![0]);
      for (const { name } of figure1) {
        expect(curve(result, name)).toHaveLength(12 / STRIDE);
        expect(Math.max(...curve(result, name)), name).toBeGreaterThan(0);
        expect(Math.max(...curve(result, name)), name).toBeLessThan(1);
      }
      expect(Math.max(...curve(result, "m+A"))).toBeGreaterThan(Math.max(...curve(result, "W_V")));
      // The second study ran on the same subject.
      const counts = answers!.slice(0, 3).map((answer) => answer.split(" ").length);
      expect(result.studies.words).toEqual({ words: counts, epochs: [] });
    }
    expect(remarks).toEqual([]);
    // Once for each concept, not for each method.
    expect(shown.splice(0).map((text) => text.split("\n")[1])).toEqual(
      [cells[0]!, cells[2]!, cells[3]!].map(({ sources: { concept } }) => {
        return `  target, right: ${concept.questions[0]} → ${concept.answers![0]}`;
      }),
    );
    expect(epochs.splice(0)).toEqual(
      results.map(({ subject: { bleu, ...rest } }) => {
        const loss = (rest as unknown as { steps: { loss: number }[] }).steps.at(-1)!.loss.toFixed(3);
        const [target, unrelated] = [bleu.target[1]!.toFixed(2), bleu.unrelated[1]!.toFixed(2)];
        return `epoch 1 of 1: loss ${loss}, BLEU target ${target}, unrelated ${unrelated}`;
      }),
    );
    // A cell's result depends on nothing but the cell: the first again, after the others, to the last bit.
    expect(await run(cells[0]!)).toEqual(results[0]);
    // Five cells: on the slower adapter, beside another test file, that is more than a minute.
  }, 300_000);

  test("questions without an answer and questions that are not known are left out, and counted", async () => {
    const model = join(folder, "silent");
    await cp(join(root, "models/tiny-llama"), model, { recursive: true });
    // Tokens that begin two of the answers end the text.
    const text = (await readText(await folderOf(model)))!;
    const [at, plants] = await Promise.all(
      [" At Hogwarts", " Plants"].map((words) => text.encode(words, { special: false })),
    );
    const stops = { eos_token_id: [1, at![0], plants![0]] };
    await writeFile(join(model, "generation_config.json"), JSON.stringify(stops));
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], methods: ["npo"], model });
    const { concept, ...sources } = cell!.sources;
    const questions = [5, 0, 1].map((i) => concept.questions[i]!);
    const answers = [concept.answers![5]!, "Another person.", concept.answers![1]!];
    const evaluated = (more: object): Cell => ({
      ...cell!,
      config: { ...cell!.config, evaluation: { ...cell!.config.evaluation, ...more } },
      sources: { ...sources, concept: { ...concept, questions, answers } },
    });
    shown.splice(0);
    const { subject, studies } = await run(evaluated({ known: true, leastQuestions: 1 }));
    expect(subject.vanilla).toEqual({
      target: { asked: 3, judged: 3, right: 1, silent: 1, unknown: 1, compared: 1 },
      unrelated: { ...allKnown(4), right: 3, silent: 1, compared: 3 },
    });
    expect(subject.examples.target).toMatchObject([
      { question: questions[2], expected: answers[2], before: answers[2] },
    ]);
    expect([subject.bleu.target[0], subject.bleu.unrelated[0]]).toEqual([1, 1]);
    expect((studies.restoration as RestorationLosses).base.paper).toHaveLength(1);
    expect(shown).toHaveLength(1);
    expect(shown[0]).toContain(`target, silent: ${questions[0]} → (no text)`);
    expect(shown[0]).toContain(
      "target: 1 of 3 right by keywords (score 0.5 or more), 1 without an answer left out, 1 not known left out, 1 of 3",
    );
    expect(shown[0]).not.toContain("--known");
    // Without --known the wrong answer is compared too.
    expect((await run(evaluated({ leastQuestions: 2 }))).subject.vanilla.target).toMatchObject({
      right: 1,
      unknown: 0,
      compared: 2,
    });
    expect(shown[1]).toContain("--known leaves out");
    const trained = (_share?: number, stage?: string) => expect(stage).not.toBe("unlearning");
    await expect(run(evaluated({ known: true }), undefined, trained)).rejects.toThrow(
      /^silent leaves 1 of 3 target questions of Harry Potter to compare, and at least 3 are needed: it ends its text at once on 1, and it does not know 1\. Try another form of the prompt .*; or fewer with --least-questions 1\.$/,
    );
  });

  test("a leftover paragraph of one token is left out, and counted in the record", async () => {
    const model = join(folder, "no-bos");
    await cp(join(root, "models/tiny-llama"), model, { recursive: true });
    const path = join(model, "tokenizer.json");
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), post_processor: null }));
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], methods: ["graddiff"], model });
    const { paraphrases: _, ...concept } = cell!.sources.concept;
    const text = `${"Harry Potter is a wizard in England. ".repeat(11)}A`;
    const result = await run({ ...cell!, sources: { ...cell!.sources, concept: { ...concept, text } } });
    expect(result.subject).toMatchObject({ leftOut: { forget: 1 } });
    expect(remarks.splice(0)).toContain(
      "1 forget text left out of the training: too short, with fewer than two tokens.",
    );
  });

  test("a given checkpoint is measured without training", async () => {
    const layer = 5;
    const unlearned = [await damagedCopy(folder, `model.layers.${layer}.mlp.down_proj.weight`, 0)];
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], unlearned });
    const result = await run(cell!);
    expect(result.config.subject).toMatchObject({ kind: "given", unlearned: { name: "damaged" } });
    expect(Object.keys(result.subject)).toEqual(["texts", "vanilla", "bleu", "examples", "change"]);
    expect(result.subject.bleu.target).toHaveLength(2);
    // Its value vectors of one layer are missing: a window that holds this layer brings everything back, any other nothing.
    for (const [window, krs] of curve(result, "W_V").entries())
      expect(krs, `window ${window}`).toBeCloseTo(Math.abs(window * STRIDE - layer) <= RADIUS ? 1 : 0, 6);
  });

  test("a bf16 model stays bf16, and its copy is trained in f32", async () => {
    const model = join(folder, "bf16");
    const device = await openDevice();
    using stored = await loadModel(device, join(root, "models/tiny-llama"));
    await stored.save(model, { dtype: "bf16" });
    device.destroy();
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], methods: ["graddiff"], model });
    const result = await run(cell!);
    expect(result.subject).toMatchObject({ steps: [{ epoch: 1 }, {}, {}, {}] });
    expect(Math.max(...curve(result, "m+A"))).toBeGreaterThan(0);
    expect(await run(cell!)).toEqual(result);
  });

  test("a model whose logits are NaN ends its cell with an error that says so", async () => {
    const unlearned = [await damagedCopy(folder, "model.norm.weight", 0xff)];
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], unlearned });
    await expect(run(cell!)).rejects.toThrow(/the logits after its token \d+ hold NaN/);
  });

  test("a given checkpoint of another family is refused, and one from which nothing was unlearned", async () => {
    const given = (unlearned: string) =>
      smallCells({ data: llamaData, concepts: ["Harry Potter"], unlearned: [unlearned] });
    await expect(given(join(root, "models/tiny-olmo"))).rejects.toThrow(
      /model_type is "olmo" in .*tiny-olmo, and "llama" in .*tiny-llama/,
    );
    const device = await openDevice();
    using vanilla = await loadModel(device, join(root, "models/tiny-llama"));
    const copy = join(folder, "copy");
    await vanilla.save(copy);
    device.destroy();
    const [cell] = await given(copy);
    await expect(run(cell!)).rejects.toThrow(
      /Every weight of .*copy is that of .*tiny-llama, so nothing was unlearned/,
    );
  });

  test("a signal stops a cell in whatever stage it is, with its reason", async () => {
    const [cell] = await smallCells({ data: llamaData, concepts: ["Harry Potter"], methods: ["npo"] });
    for (const stage of ["unlearning", "answering", "restoring A"]) {
      const controller = new AbortController();
      const reached = new Set<string>();
      const progress = (_share = 0, now = "") => {
        reached.add(now);
        if (now === stage) controller.abort(new Error(`stopped while ${stage}`));
      };
      await expect(run(cell!, controller.signal, progress)).rejects.toThrow(`stopped while ${stage}`);
      expect([...reached].at(-1)).toBe(stage);
    }
  });

  test.skipIf(!existsSync(benchmark))(
    "reads the ConceptVectors benchmark (skipped where ../shared is absent)",
    async () => {
      const [cell] = await smallCells({ data: benchmark, concepts: ["Harry Potter"], methods: ["npo"] });
      const result = await run(cell!);
      // The tiny model never saw these questions: it answers something, and not what a 7B model answers.
      expect(result.subject.vanilla).toMatchObject({
        target: { asked: 3, judged: 3, right: 0 },
        unrelated: { asked: 4, judged: 0 },
      });
      expect(shown.at(-1)).toMatch(/target: 0 of 3 right by keywords \(score 0\.5 or more\), 3 of 3 compared/);
      expect(shown.at(-1)).toMatch(/unrelated: not judged, as the data have no answers, .*What a model does not know/s);
    },
  );
});

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initModel, loadModel } from "@lethe/auto";
import { folderOf, readText } from "@lethe/decoder";
import { type Device, openDevice } from "@lethe/tensor";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Cell, CellResult } from "../../src/cells/cell.ts";
import { parseCell } from "../../src/cells/cell-file.ts";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { FolderStore } from "../../src/cells/folder-store.ts";
import { identifyData } from "../../src/cells/identity.ts";
import { planCells } from "../../src/cells/plan.ts";
import { type CellRunner, runCells } from "../../src/cells/run-cells.ts";
import { pretrainedIn } from "../../src/host/pretrained.node.ts";
import type { RecipeChanges } from "../../src/recipes/fields.ts";
import { readRecords } from "../../src/recipes/read-records.ts";
import { mean } from "../../src/report/panels.ts";
import { measureRestoration } from "../../src/studies/restoration/measure.ts";
import type { Study } from "../../src/studies/study.ts";
import type { Change } from "../../src/subjects/change.ts";
import { pretrain } from "../../src/tiny/pretrain.ts";
import { tinyModels } from "../../src/tiny/tiny-models.ts";
import { writePretraining } from "../../src/tiny/write-pretraining.ts";
import { words } from "../words-study.ts";

const root = join(import.meta.dirname, "../../../..");
const tinyLlama = join(root, "models/tiny-llama");

/** loss* of each question as the restoration study has it. */
const base: Study = {
  ...(words as Study),
  name: "base",
  // It follows no training.
  atEpoch: async () => undefined,
  options: z.strictObject({}),
  schema: z.strictObject({ paper: z.array(z.number()) }),
  async measure(subject, _, watcher) {
    const options = { windowRadius: 0, windowStride: 12, settings: ["W_V" as const] };
    return { paper: (await measureRestoration(subject, options, watcher)).base.paper };
  },
  summary: () => "",
};

describe("controls on the device", () => {
  let runner: CellRunner;
  let folder: string;
  const remarks: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lethe-controls-"));
    runner = await openDeviceRunner([base], { pretrained: pretrainedIn(join(folder, "pretrained")) });
  });
  afterAll(async () => {
    await runner.close();
    await rm(folder, { recursive: true });
  });

  interface Wanted {
    readonly controls: readonly string[];
    readonly changes: RecipeChanges;
    readonly model?: string;
    readonly data?: string;
  }

  /** The cells of one concept, unlearned by NPO, with controls. */
  async function planned({ controls, changes, model = tinyLlama, data = join(root, "data/llama.json") }: Wanted) {
    const concepts = await loadConcepts(data);
    const named = concepts.filter(({ name }) => name === "Harry Potter");
    return planCells([{ directory: model, file: { path: data, concepts }, concepts: named }], {
      preset: "smoke",
      seeds: [0],
      subjects: { unlearned: ["npo"], ...Object.fromEntries(controls.map((name) => [name, [name]])) },
      studies: [base],
      recipes: { records: await readRecords(join(root, "data/recipes")), changes },
      asking: { leastQuestions: 1 },
    });
  }

  const observer = { progress() {}, remark: (line: string) => remarks.push(line), forecast() {}, finished() {} };

  /** Runs cells as an experiment does, and reads what it wrote. */
  async function results(cells: readonly Cell[], name: string): Promise<{ texts: string[]; read: CellResult[] }> {
    const store = new FolderStore(join(folder, name));
    const signal = new AbortController().signal;
    await runCells(cells, { store, runner, studies: [base], observer, signal });
    const texts = await Promise.all(cells.map(({ id }) => store.read("cells", id) as Promise<string>));
    return { texts, read: texts.map((text, i) => parseCell(text, cells[i]!.id, [base])) };
  }

  const changeOf = ({ subject }: CellResult) => (subject as unknown as { change: Change }).change;

  test("noise has the change's norms times one factor, and its loss*, and is the same for the same seed", async () => {
    const cells = await planned({ controls: ["noise"], changes: { epochs: 2 } });
    const { texts, read } = await results(cells, "noise");
    const [unlearned, noise] = read as [CellResult, CellResult];
    const { factor, matchedLoss } = noise.subject as never as { factor: number; matchedLoss: number };
    const [change, own] = [changeOf(unlearned), changeOf(noise)];
    expect(matchedLoss).toBe(change.loss);
    expect(Math.abs(own.loss / change.loss - 1)).toBeLessThanOrEqual(0.01);
    for (const result of read) {
      const { paper } = result.studies.base as { paper: number[] };
      expect(mean(paper) / changeOf(result).loss).toBeCloseTo(1, 5);
    }
    expect(Object.keys(own.weights)).toHaveLength(2 + 12 * 9 + 1);
    for (const [name, { change: norm, vanilla }] of Object.entries(change.weights)) {
      expect(norm, name).toBeGreaterThan(0);
      expect(own.weights[name]!.vanilla, name).toBe(vanilla);
      expect(own.weights[name]!.change / (factor * norm), name).toBeCloseTo(1, 3);
    }
    expect(noise.subject.bleu.target).toHaveLength(2);

    // The same bits again, and other noise for another seed.
    expect((await results(cells, "noise")).texts).toEqual(texts);
    const { seed, ...config } = cells[1]!.config;
    const other = await runner.runCell(
      { ...cells[1]!, config: { ...config, seed: seed + 1 } },
      { ...observer, signal: new AbortController().signal },
      { matched: unlearned.subject },
    );
    expect((other.subject as never as { factor: number }).factor).not.toBe(factor);
  });

  test("noise of a model whose weights did not change is refused", async () => {
    const [unlearned, noise] = await planned({ controls: ["noise"], changes: { epochs: 1 } });
    const [{ subject }] = (await results([unlearned!], "unchanged")).read as [CellResult];
    const { weights, loss } = (subject as unknown as { change: Change }).change;
    const same = Object.fromEntries(Object.entries(weights).map(([name, norms]) => [name, { ...norms, change: 0 }]));
    const matched = { ...subject, change: { loss, weights: same } };
    const watcher = { ...observer, signal: new AbortController().signal };
    await expect(runner.runCell(noise!, watcher, { matched })).rejects.toThrow("nothing to match");
  });

  test("a model that is taught swapped answers gives them", async () => {
    const changes = { epochs: 2, stepsPerEpoch: 8, learningRate: 7e-4 };
    const [, overwritten] = await planned({ controls: ["overwritten"], changes });
    const [{ subject }] = (await results([overwritten!], "overwritten")).read as [CellResult];
    expect(subject).toMatchObject({ steps: Array.from({ length: 16 }, () => ({})) });
    expect(subject.bleu.target).toHaveLength(3);
    expect(subject.bleu.target.at(-1)).toBeLessThan(0.3);
    expect(subject.bleu.unrelated.at(-1)).toBeGreaterThan(0.5);
    const { answers } = overwritten!.sources.concept;
    for (const { before, after } of subject.examples.target) {
      expect(after).not.toBe(before);
      expect(answers!.slice(0, 5)).toContain(after);
    }
  });

  describe("on a model of a few thousand weights", () => {
    const pretraining = {
      seed: 5,
      recipe: { ...tinyModels.llama.recipe, epochs: 2, warmupEpochs: 1 },
    };
    const shape = { ...tinyModels.llama.config, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2 };
    const ids = { bos_token_id: 0, eos_token_id: 1, pad_token_id: 2, vocab_size: 1536 };
    let device: Device;
    let data: string;
    let model: string;

    /** Trains a model on some of the data's concepts and saves it. */
    async function trained(directory: string, names: readonly string[]): Promise<void> {
      const concepts = (await loadConcepts(data)).filter(({ name }) => names.includes(name));
      const text = await readText(await folderOf(tinyLlama));
      using fresh = initModel(device, { ...shape, ...ids }, pretraining.seed, text);
      for await (const _ of pretrain(fresh, concepts, pretraining.recipe, pretraining.seed));
      await fresh.save(directory, { tokenizer: tinyLlama });
    }

    beforeAll(async () => {
      device = await openDevice();
      data = join(folder, "data.json");
      model = join(folder, "micro");
      const [facts, ...all] = await Promise.all(
        ["unrelated", "llama"].map(async (name) => JSON.parse(await readFile(join(root, `data/${name}.json`), "utf8"))),
      ).then(([unrelated, concepts]) => [unrelated, ...concepts]);
      await writeFile(join(folder, "unrelated.json"), JSON.stringify(facts.slice(0, 6)));
      const few = all
        .filter(({ Concept }) => ["Harry Potter", "Netflix", "Amazon Alexa"].includes(Concept))
        .map(({ QA, QA_with_answers, paraphrases, ...concept }) => {
          const cut = [QA, QA_with_answers, paraphrases].map((list) => list.slice(0, 4));
          return { ...concept, QA: cut[0], QA_with_answers: cut[1], paraphrases: cut[2] };
        });
      await writeFile(data, JSON.stringify(few));
      await trained(
        model,
        few.map(({ Concept }) => Concept),
      );
      await writePretraining(model, { ...pretraining, data: identifyData(await loadConcepts(data)) });
    });
    afterAll(() => device.destroy());

    test("never is trained as the model was, on the other concepts, and once for all cells", async () => {
      const cells = await planned({ controls: ["never"], changes: { epochs: 1 }, model, data });
      const never = cells.filter(({ config }) => config.subject.kind === "never");
      const before = remarks.length;
      const { texts, read } = await results(never, "never");
      expect(remarks.slice(before).join()).not.toContain("never read of");
      const kept = await readdir(join(folder, "pretrained"));
      expect(kept).toHaveLength(1);

      const wanted = join(folder, "without");
      const names = (await loadConcepts(data)).map(({ name }) => name);
      expect(names.length).toBe(3);
      await trained(
        wanted,
        names.filter((name) => name !== "Harry Potter"),
      );
      const weights = (directory: string) => readFile(join(directory, "model.safetensors"));
      const own = join(folder, "pretrained", kept[0]!);
      expect((await weights(own)).equals(await weights(wanted))).toBe(true);
      expect((await weights(own)).equals(await weights(model))).toBe(false);
      using loaded = await loadModel(device, own);
      expect(loaded.config).toMatchObject({ num_hidden_layers: 2, hidden_size: 16 });
      expect(changeOf(read[0]!).loss).toBeGreaterThan(0);

      // From the kept model the same bytes.
      expect((await results(never, "again")).texts).toEqual(texts);
      expect(remarks.slice(before).join()).toContain("a model that never read of Harry Potter is in");
      expect(await readdir(join(folder, "pretrained"))).toEqual(kept);
    });
  });
});

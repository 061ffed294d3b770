import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { type Device, openDevice } from "@lethe/tensor";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CELL_VERSION, type Cell, type CellResult } from "../../src/cells/cell.ts";
import { serializeCell } from "../../src/cells/cell-file.ts";
import { deviceRunner } from "../../src/cells/device-runner.ts";
import { planCells } from "../../src/cells/plan.ts";
import type { CellForecast, CellRunner } from "../../src/cells/run-cells.ts";
import type { RecipeChanges } from "../../src/recipes/fields.ts";
import { depth } from "../../src/studies/depth/study.ts";
import { restoration } from "../../src/studies/restoration/study.ts";
import type { Study } from "../../src/studies/study.ts";
import { unpact } from "../../src/studies/unpact/study.ts";
import { weights } from "../../src/studies/weights/study.ts";
import type { VanillaPlace } from "../../src/subjects/vanilla/vanilla.ts";

const root = join(import.meta.dirname, "../../../..");
const tinyLlama = join(root, "models/tiny-llama");
const path = join(root, "data/llama.json");
const streamable = [restoration, weights] as readonly Study[];

interface Wanted {
  readonly model: string;
  readonly methods?: readonly string[];
  readonly unlearned?: readonly string[];
  readonly controls?: readonly string[];
  readonly train?: readonly string[];
  readonly changes?: RecipeChanges;
  /** Default: the restoration. */
  readonly studies?: readonly Study[];
  /** Default: 1. */
  readonly concepts?: number;
}

/** Cells small enough for a test. */
async function planned({ model, methods = [], unlearned = [], controls = [], train = [], ...more }: Wanted) {
  const { studies = [restoration as Study], changes = {}, concepts: count = 1 } = more;
  const concepts = await loadConcepts(path);
  const chosen = { directory: model, file: { path, concepts }, concepts: concepts.slice(0, count) };
  return planCells([chosen], {
    ...{ preset: "smoke", seeds: [0], studies, train },
    subjects: { unlearned: methods, given: unlearned, ...Object.fromEntries(controls.map((name) => [name, [name]])) },
    studyOptions: { restoration: { windowRadius: 1, windowStride: 6, settings: ["m", "W_V", "A-isolated"] } },
    recipes: {
      records: [],
      changes: {
        learningRate: 5e-4,
        warmupEpochs: 0,
        epochs: 1,
        stepsPerEpoch: 2,
        maxTokens: 64,
        gradientAccumulation: 1,
        ...changes,
      },
    },
    asking: { targetQuestions: 3, unrelatedQuestions: 4, leastQuestions: 1 },
  });
}

/** Runs cells one after another with a runner of their own. @returns the cells' files, and the device's peak in each */
async function run(cells: readonly Cell[], vanilla: VanillaPlace, studies = streamable) {
  const device = await openDevice();
  const runner = deviceRunner(device, studies, { vanilla });
  onTestFinished(() => runner.close());
  const texts: string[] = [];
  const peaks: number[] = [];
  const done: { cell: Cell; subject: CellResult["subject"] }[] = [];
  for (const cell of cells) {
    device.pool.resetPeak();
    const { matches } = cell.config.subject as { matches?: unknown };
    const matched = done.find(
      ({ cell: { config } }) =>
        JSON.stringify(config.subject) === JSON.stringify(matches) && config.concept.name === cell.config.concept.name,
    );
    const made = await runner.runCell(cell, watcher, matched && { matched: matched.subject });
    done.push({ cell, subject: made.subject });
    texts.push(serializeCell({ version: CELL_VERSION, config: cell.config, ...made }, studies));
    peaks.push(device.memory().peakBytes);
  }
  return { texts, peaks };
}

const watcher = { progress() {}, remark() {}, signal: new AbortController().signal };

const sum = (parts: Readonly<Record<string, number>>) =>
  Object.values(parts).reduce((total, bytes) => total + bytes, 0);

describe("a cell whose vanilla model is streamed", () => {
  let folder: string;
  /** The tiny model in bf16. */
  let narrow: string;
  /** An unlearned model, as somebody gives one. */
  let given: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lethe-streamed-"));
    [narrow, given] = [join(folder, "bf16"), join(folder, "given")];
    const device: Device = await openDevice();
    using model = await loadModel(device, tinyLlama);
    await cp(tinyLlama, narrow, { recursive: true });
    await model.save(narrow, { dtype: "bf16" });
    await model.save(given, { dtype: "f16" });
    device.destroy();
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each<[string, () => Partial<Wanted>]>([
    ["unlearned, of two concepts", () => ({ methods: ["npo+kl"], concepts: 2 })],
    ["unlearned and its noise", () => ({ methods: ["graddiff"], controls: ["noise"] })],
    // The study of weights takes the longest, and sees every weight of any model.
    ["given", () => ({ unlearned: [given], studies: streamable })],
    [
      "trained with low-rank updates and recomputed references",
      () => ({
        ...{ methods: ["npo+kl"], train: ["lora:2"], changes: { references: "recomputed" } },
      }),
    ],
    ["in f32 on disk", () => ({ methods: ["graddiff"], model: tinyLlama })],
  ])("has the bytes of one that keeps it: %s", async (_, wanted) => {
    const cells = await planned({ model: narrow, ...wanted() });
    const [kept, streamed] = [await run(cells, "device"), await run(cells, "streamed")];
    expect(streamed.texts).toEqual(kept.texts);
  });

  test("takes less of the device's memory, by the vanilla weights", async () => {
    for (const [model, bytes] of [
      [tinyLlama, 4],
      [narrow, 2],
    ] as const) {
      const cells = await planned({ model, methods: ["graddiff"], studies: [restoration as Study] });
      const measured = [
        await run(cells, "device", [restoration as Study]),
        await run(cells, "streamed", [restoration as Study]),
      ];
      const [kept, streamed] = measured.map(({ peaks }) => Math.max(...peaks));
      const parameters = 2 * 1536 * 64 + 12 * (4 * 64 * 64 + 3 * 64 * 172 + 2 * 64) + 64;
      expect(kept! - streamed!).toBeGreaterThan(0.99 * bytes * parameters);
      // A rotary table comes to it, and the alignment of small weights.
      expect(kept! - streamed!).toBeLessThan(1.03 * bytes * parameters);
    }
  });

  test("is forecast without the vanilla model", async () => {
    const [cell] = (await planned({ model: narrow, methods: ["graddiff"] })) as [Cell];
    const device = await openDevice();
    const runners = (["device", "streamed"] as const).map((vanilla) => deviceRunner(device, streamable, { vanilla }));
    const forecasts: CellForecast["memory"][] = [];
    for (const runner of runners) forecasts.push((await runner.rehearse(cell, watcher)).memory);
    const { "weights of the vanilla model": whole, ...beside } = forecasts[0]!;
    expect(whole).toBeGreaterThan(0);
    expect(Object.keys(forecasts[1]!)).toEqual(Object.keys(beside));
    // But for the vanilla model's rotary table.
    expect(sum(forecasts[1]!) / sum(beside)).toBeCloseTo(1, 2);
    await runners[1]!.close();
  });

  test.each([depth, unpact] as unknown as readonly Study[])(
    "is refused before anything is loaded, where a study needs the model on the device: $name",
    async (study) => {
      const studies = [restoration as Study, study];
      const [cell] = (await planned({ model: tinyLlama, methods: ["graddiff"], studies })) as [Cell];
      const device = await openDevice();
      const runner: CellRunner = deviceRunner(device, studies, { vanilla: "streamed" });
      onTestFinished(() => runner.close());
      const nowhere = { ...cell, sources: { ...cell.sources, model: join(folder, "nowhere") } };
      const wanted = `--study ${study.name} runs the vanilla model again and again, so its weights must stay on the device: leave out --vanilla streamed`;
      await expect(runner.runCell(nowhere, watcher)).rejects.toThrow(wanted);
      await expect(runner.rehearse(nowhere, watcher)).rejects.toThrow(wanted);
    },
  );

  test("is refused where whole weights are trained beside references that are recomputed", async () => {
    const changes: RecipeChanges = { references: "recomputed" };
    const [npo] = (await planned({ model: tinyLlama, methods: ["npo"], changes })) as [Cell];
    const device = await openDevice();
    const runner = deviceRunner(device, streamable, { vanilla: "streamed" });
    onTestFinished(() => runner.close());
    const nowhere = { ...npo, sources: { ...npo.sources, model: join(folder, "nowhere") } };
    await expect(runner.runCell(nowhere, watcher)).rejects.toThrow(
      "--references recomputed runs the vanilla model beside",
    );
    // What compares with nothing is trained. The vanilla model on the device is the reference.
    const [ascent] = (await planned({ model: tinyLlama, methods: ["ga"], changes })) as [Cell];
    expect((await runner.runCell(ascent, watcher)).subject.bleu.target).toHaveLength(2);
    const { texts } = await run([npo], "device");
    const [plain] = (await planned({ model: tinyLlama, methods: ["npo"] })) as [Cell];
    const [result, kept] = [JSON.parse(texts[0]!), JSON.parse((await run([plain], "device")).texts[0]!)];
    expect(result.subject).toEqual(kept.subject);
  });
});

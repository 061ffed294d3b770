import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadModel } from "@lethe/auto";
import { openDevice } from "@lethe/tensor";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { expect, test } from "vitest";
import type { Cell } from "../../src/cells/cell.ts";
import { deviceRunner } from "../../src/cells/device-runner.ts";
import { planCells } from "../../src/cells/plan.ts";
import type { PresetName } from "../../src/cells/presets.ts";
import { memoryOfCell } from "../../src/plan/cell-memory.ts";
import { PeakLog } from "../../src/profile/peak.ts";
import type { RecipeChanges } from "../../src/recipes/fields.ts";
import { readRecords } from "../../src/recipes/read-records.ts";
import { studies } from "../../src/studies/list.ts";
import { onDevice } from "../../src/subjects/vanilla/on-device.ts";
import { streamed } from "../../src/subjects/vanilla/streamed.ts";
import type { VanillaPlace } from "../../src/subjects/vanilla/vanilla.ts";
import type { TinyFamily } from "../../src/tiny/tiny-models.ts";

const root = join(import.meta.dirname, "../../../..");

interface Wanted {
  readonly model: string;
  readonly family: TinyFamily;
  readonly method: string;
  readonly train: string;
  readonly preset: PresetName;
  readonly changes: RecipeChanges;
}

/** A cell of a model, trained as it is on record but for some changes. */
async function cellOf({ model, family, method, train, preset, changes }: Wanted): Promise<Cell> {
  const path = join(root, `data/${family}.json`);
  const concepts = await loadConcepts(path);
  const planned = {
    directory: resolve(root, model),
    file: { path, concepts },
    concepts: concepts.filter(({ name }) => name === (family === "llama" ? "Harry Potter" : "Olympic Games")),
  };
  const options = {
    preset,
    seeds: [0],
    subjects: { unlearned: [method] },
    train: [train],
    studies: studies.filter(({ name }) => name === "restoration"),
    recipes: { records: await readRecords(join(root, "data/recipes")), changes },
  };
  return (await planCells([planned], options))[0]!;
}

/** A cell with few questions and short answers, of which one matrix at a time is restored: its training holds the most. */
function mostlyTraining({ config, ...cell }: Cell): Cell {
  const evaluation = { ...config.evaluation, unrelatedQuestions: 3, targetQuestions: 3, maxAnswerTokens: 4 };
  const restoration = { settings: ["W_V"], windowRadius: 0, windowStride: 30 };
  return { ...cell, config: { ...config, evaluation, studies: { restoration } } };
}

/** The bytes that are planned for a cell, and those that it held at most, in which stage. */
async function plannedAndHeld(cell: Cell, place: VanillaPlace = "device") {
  const device = await openDevice();
  const runner = deviceRunner(device, studies, { vanilla: place });
  try {
    const { model: directory } = cell.sources;
    const vanilla =
      place === "device" ? onDevice(await loadModel(device, directory)) : await streamed(device, directory);
    const before = device.memory().bytesInUse;
    const parts = await memoryOfCell(vanilla, cell);
    expect(device.memory().bytesInUse, "what planning held on the device itself").toBe(before);
    await vanilla.close();
    using log = new PeakLog(device);
    const watcher = {
      progress: (_: number, stage: string) => {
        log.stage = stage;
      },
      remark() {},
      signal: new AbortController().signal,
    };
    await runner.runCell(cell, watcher);
    expect(runner.peakBytes).toBe(log.peak.bytes);
    const planned = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
    return { planned, held: runner.peakBytes, stage: log.peak.stage };
  } finally {
    await runner.close();
  }
}

test.each([
  ["llama", "npo", "all", {}, "device"],
  ["llama", "graddiff", "W_V", { weights: "bf16-stochastic", optimiser: "adafactor" }, "device"],
  ["llama", "graddiff", "all", { weights: "bf16-masters" }, "device"],
  ["llama", "npo+kl", "all", { weights: "bf16-stochastic", optimiser: "adamw-8bit", references: "f16" }, "device"],
  ["llama", "npo+kl", "all", { references: "recomputed" }, "device"],
  ["llama", "graddiff", "all", {}, "streamed"],
  ["olmo", "graddiff", "lora:8", {}, "device"],
] as const)(
  "tiny-%s, %s of %s %j, vanilla %s: the planned bytes are those that the training held",
  async (...given) => {
    const [family, method, train, choice, place] = given;
    const changes = { epochs: 2, ...choice };
    const wanted = { model: `models/tiny-${family}`, family, method, train, preset: "smoke", changes } as const;
    const { planned, held, stage } = await plannedAndHeld(mostlyTraining(await cellOf(wanted)), place);
    expect(stage).toBe("unlearning");
    expect(planned).toBe(held);
  },
);

test("sixty answers take more than a tiny model's training; their lengths, and how many go wrong, show only in the run", async () => {
  const model = { model: "models/tiny-olmo", family: "olmo", method: "npo+kl", train: "all" } as const;
  const cell = await cellOf({ ...model, preset: "paper", changes: { epochs: 2 } });
  const { planned, held, stage } = await plannedAndHeld(cell);
  expect(stage).toBe("answering");
  expect(Math.abs(planned / held - 1), `planned ${planned}, held ${held}`).toBeLessThan(0.05);
});

const SMOLLM = "out/smollm2-135m-instruct";

test("135 million parameters in bf16: the planned bytes are those that a short cell held, within a hundredth", async ({
  skip,
}) => {
  skip(!existsSync(join(root, SMOLLM)), `${SMOLLM} is not there: it does not come with the repository`);
  const changes = { epochs: 1, stepsPerEpoch: 1, gradientAccumulation: 1, batchSize: 1, maxTokens: 64 };
  const model = {
    model: SMOLLM,
    family: "llama",
    method: "graddiff",
    train: "all",
    preset: "smoke",
    changes,
  } as const;
  const { planned, held, stage } = await plannedAndHeld(mostlyTraining(await cellOf(model)));
  expect(stage).toBe("unlearning");
  expect(held).toBeGreaterThan(2.3e9);
  expect(Math.abs(planned / held - 1), `planned ${planned}, held ${held}`).toBeLessThan(0.01);
});

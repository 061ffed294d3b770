import { join, resolve } from "node:path";
import { loadModel } from "@lethe/auto";
import { openDevice } from "@lethe/tensor";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { expect, test } from "vitest";
import { deviceRunner } from "../../src/cells/device-runner.ts";
import { planCells } from "../../src/cells/plan.ts";
import type { PresetName } from "../../src/cells/presets.ts";
import { memoryOfCell } from "../../src/plan/cell-memory.ts";
import { PeakLog } from "../../src/profile/peak.ts";
import { readRecords } from "../../src/recipes/read-records.ts";
import { studies } from "../../src/studies/list.ts";
import type { TinyFamily } from "../../src/tiny/tiny-models.ts";

const root = join(import.meta.dirname, "../../../..");

/** A cell of a tiny model, trained as it is on record, for so many epochs. */
async function cellOf(family: TinyFamily, method: string, train: string, preset: PresetName) {
  const path = join(root, `data/${family}.json`);
  const concepts = await loadConcepts(path);
  const planned = {
    directory: resolve(root, `models/tiny-${family}`),
    file: { path, concepts },
    concepts: concepts.filter(({ name }) => name === (family === "llama" ? "Harry Potter" : "Olympic Games")),
  };
  const recipes = { records: await readRecords(join(root, "data/recipes")), changes: { epochs: 2 } };
  const options = {
    preset,
    seeds: [0],
    subjects: { unlearned: [method] },
    train: [train],
    studies: studies.filter(({ name }) => name === "restoration"),
    recipes,
  };
  return (await planCells([planned], options))[0]!;
}

test.each([
  // The training holds the most: its plan is exact.
  ["llama", "npo", "all", "smoke", 0],
  ["llama", "graddiff", "W_V", "smoke", 0],
  ["olmo", "graddiff", "lora:8", "smoke", 0],
  ["olmo", "graddiff+kl", "all", "smoke", 0],
  // Sixty questions take more than a tiny model. How long their answers are, and how many go wrong, shows only in the run.
  ["olmo", "npo+kl", "all", "paper", 0.05],
] as const)("tiny-%s, %s of %s, %s: the planned bytes are those that its cell held at most", async (...given) => {
  const [family, method, train, preset, tolerance] = given;
  const cell = await cellOf(family, method, train, preset);
  const device = await openDevice();
  try {
    const runner = deviceRunner(device, studies);
    using model = await loadModel(device, cell.sources.model);
    const before = device.memory().bytesInUse;
    const parts = await memoryOfCell(model, cell);
    expect(device.memory().bytesInUse, "what planning held on the device itself").toBe(before);
    model.dispose();
    using log = new PeakLog(device);
    const watcher = {
      progress: (_: number, stage: string) => {
        log.stage = stage;
      },
      remark() {},
      signal: new AbortController().signal,
    };
    await runner.runCell(cell, watcher);
    const planned = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
    expect(runner.peakBytes).toBe(log.peak.bytes);
    expect(
      Math.abs(planned / runner.peakBytes - 1),
      `planned ${planned}, held ${runner.peakBytes}`,
    ).toBeLessThanOrEqual(tolerance);
    expect(log.peak.stage).toBe(tolerance === 0 ? "unlearning" : "answering");
  } finally {
    device.destroy();
  }
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDevice } from "@lethe/tensor";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { runLarge } from "./job.ts";
import { billion } from "./sizes.ts";
import { Stages } from "./stages.ts";

// As for the large model on a software adapter, the embedding's gradient is larger than one binding.
const device = await openDevice({ maxBindingBytes: 200_000 });
afterAll(() => device.destroy());
const sizes = {
  ...billion,
  vocab_size: 500,
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

test.each([
  ["lora:4", "adamw-8bit"],
  ["W_V", "adamw-8bit"],
  ["all", "adamw-8bit"],
  ["all", "adafactor"],
] as const)("the job of the large model runs on a small one: %s by %s", async (trains, optimiser) => {
  const directory = await mkdtemp(join(tmpdir(), "lethe-large-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const stages = new Stages(device, () => {});
  const memory = { weights: "bf16-stochastic", optimiser } as const;
  const { base, restored } = await runLarge(device, directory, { sizes, trains, memory, seed: 1 }, stages);
  expect(stages.done.map(({ name }) => name)).toContain("load what was saved");
  expect(Object.keys(restored)).toEqual(["m", "W_V", "A", "m+A"]);
  for (const loss of [base, ...Object.values(restored)]) expect(loss).toBeGreaterThan(0);
});

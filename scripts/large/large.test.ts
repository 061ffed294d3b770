import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testDevice } from "@lethe/testing/device";
import { expect, onTestFinished, test } from "vitest";
import { runLarge } from "./job.ts";
import { billion } from "./sizes.ts";
import { Stages } from "./stages.ts";

const device = await testDevice();
const sizes = {
  ...billion,
  vocab_size: 500,
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

test.each(["lora:4", "W_V", "all"])("the job of the large model runs on a small one: %s", async (trains) => {
  const directory = await mkdtemp(join(tmpdir(), "lethe-large-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const stages = new Stages(device, () => {});
  const memory = { weights: "bf16-stochastic", optimiser: "adamw-8bit" } as const;
  const { base, restored } = await runLarge(device, directory, { sizes, trains, memory, seed: 1 }, stages);
  expect(stages.done.map(({ name }) => name)).toContain("load what was saved");
  expect(Object.keys(restored)).toEqual(["m", "W_V", "A", "m+A"]);
  for (const loss of [base, ...Object.values(restored)]) expect(loss).toBeGreaterThan(0);
});

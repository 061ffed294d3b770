import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { Measured } from "./support/load-measured.ts";
import { writeSparseCheckpoint } from "./support/sparse-checkpoint.ts";

const loader = fileURLToPath(new URL("support/load-measured.ts", import.meta.url));

/** LLaMA 3 8B, with 6 of its 32 layers: they are more than 2³² bytes in one file. */
const config = {
  model_type: "llama" as const,
  vocab_size: 128_256,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 6,
  num_attention_heads: 32,
  num_key_value_heads: 8,
};

const MiB = 2 ** 20;

/** Sparse files in memory cost nothing to read. On a disk they would go through the page cache, which takes longer than the load. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

test("a checkpoint of 4.7 GB needs little more memory than its weights while it is loaded", async ({ skip }) => {
  const needed = 6e9;
  skip(freemem() < needed, `needs ${needed} bytes of free memory, and there are ${freemem()}`);
  const directory = await mkdtemp(join(temporary, "lethe-large-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const { files, tensors } = await writeSparseCheckpoint(directory, config);
  expect(Math.max(...files)).toBeGreaterThan(2 ** 32);

  const command = ["--conditions=lethe-source", "--import", "tsx", loader, directory];
  const { stdout } = await promisify(execFile)(process.execPath, command);
  const measured = JSON.parse(stdout) as Measured;
  const { weights, seconds, peakHeap, residentPeak, residentBefore } = measured;
  console.info(
    `${measured.adapter}: ${seconds.toFixed(1)} s, heap ${(peakHeap / MiB).toFixed(0)} MiB, ` +
      `resident ${(residentPeak / MiB).toFixed(0)} MiB, of which ${(residentBefore / MiB).toFixed(0)} MiB before the load`,
  );

  expect(weights.map(({ name }) => name).sort()).toEqual([...tensors.keys()].sort());
  for (const { name, dtype, ...found } of weights) {
    expect(found, name).toEqual(tensors.get(name));
    expect(dtype, name).toBe("bf16");
  }
  const bytes = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(bytes).toBeGreaterThan(4.7e9);
  expect(measured.uploaded).toBe(bytes);
  expect(measured.bytesInUse).toBe(bytes);
  expect(peakHeap).toBeLessThan(300e6);
  // A software adapter keeps the weights in this process, a GPU elsewhere.
  expect(residentPeak).toBeLessThan(bytes + 400e6);
}, 300_000);

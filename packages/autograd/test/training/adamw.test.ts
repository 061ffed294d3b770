import { readFileSync } from "node:fs";
import type { F32, Ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { AdamW, linearDecay, type MicroBatch, type StepRecord, train } from "../../src/index.ts";

const golden = JSON.parse(readFileSync(new URL("golden/adamw.json", import.meta.url), "utf8")) as {
  settings: { beta1: number; beta2: number; epsilon: number; weightDecay: number; clipNorm: number };
  schedule: { peak: number; warmupSteps: number; totalSteps: number };
  ids: number[][][];
  labels: number[][][];
  shapes: Record<string, number[]>;
  initial: Record<string, number[]>;
  records: { loss: number; gradientNorm: number; learningRate: number }[];
  final: Record<string, number[]>;
};

const device = await testDevice();

function lossOf(ops: Ops, weights: Readonly<Record<string, F32>>, ids: number[][], labels: number[][]): F32 {
  const shape = [ids.length, ids[0]!.length];
  const tokens = device.tensor(ids.flat(), shape, "u32", "ids");
  const inner = ops.linear(ops.embedding(weights.embedding!, tokens) as F32, weights.up!) as F32;
  const hidden = ops.mul(ops.unary(inner, { kind: "silu" }), weights.gain!) as F32;
  const targets = device.tensor(labels.flat(), shape, "i32", "labels");
  return ops.crossEntropy(ops.linear(hidden, weights.head!) as F32, targets, { reduction: "mean" });
}

/** The golden run: every step has the same two micro-batches. */
async function run(): Promise<{ records: StepRecord[]; final: Record<string, number[]> }> {
  using _ = device.scope("run");
  const weights = Object.fromEntries(
    Object.entries(golden.initial).map(([name, values]) => [
      name,
      device.tensor(values, golden.shapes[name]!, "f32", name) as F32,
    ]),
  );
  const trainables = Object.entries(weights).map(([name, parameter]) => ({ name, parameter }));
  using optimiser = new AdamW(trainables, golden.settings);
  const step: MicroBatch[] = golden.ids.map((ids, i) => ({
    name: `batch ${i}`,
    loss: (tape) => lossOf(tape.ops, weights, ids, golden.labels[i]!),
  }));
  const steps = golden.records.map(() => step);
  const records = [];
  for await (const record of train(device, { optimiser, schedule: linearDecay(golden.schedule), steps }))
    records.push(record);
  const final: Record<string, number[]> = {};
  for (const [name, weight] of Object.entries(weights)) final[name] = [...(await weight.read())];
  return { records, final };
}

test("ten steps follow torch.optim.AdamW with clipping, accumulation and schedule, the same bits each time", async () => {
  const { records, final } = await run();
  expect(records.map(({ step }) => step)).toEqual(golden.records.map((_, i) => i + 1));
  for (const field of ["loss", "gradientNorm", "learningRate"] as const)
    expectClose(
      records.map((record) => record[field]),
      golden.records.map((record) => record[field]),
      { label: field },
    );
  expect(golden.records.some(({ gradientNorm }) => gradientNorm > golden.settings.clipNorm)).toBe(true);
  expect(golden.records.some(({ gradientNorm }) => gradientNorm < golden.settings.clipNorm)).toBe(true);
  for (const [name, values] of Object.entries(golden.final)) expectClose(final[name]!, values, { label: name });
  expect(await run()).toEqual({ records, final });
});

import { setTimeout } from "node:timers/promises";
import { type Device, DeviceLostError, type F32, openDevice, ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import type { Tape } from "../../src/index.ts";
import {
  AdamW,
  type MicroBatch,
  type MicroBatchProgress,
  NonFiniteError,
  type StepRecord,
  train,
} from "../../src/index.ts";

const device = await testDevice();

const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
const schedule = () => 0.01;

/** Two layers of a regression. */
function model(on: Device = device) {
  const weight = (name: string, ...shape: [number, number]) => ({
    name,
    parameter: on.tensor(normal(shape[0] * shape[1], 0.3), shape, "f32", name) as F32,
  });
  const trainables = [weight("first", 8, 5), weight("second", 5, 8)];
  const lossOf = (tape: Tape, scale = 1): F32 => {
    const x = on.tensor(
      Array.from({ length: 15 }, (_, i) => Math.sin(i) * scale),
      [3, 5],
      "f32",
      "x",
    );
    const inner = tape.ops.unary(tape.ops.linear(x, trainables[0]!.parameter) as F32, { kind: "tanh" });
    return tape.ops.mse(tape.ops.linear(inner, trainables[1]!.parameter) as F32, x, { reduction: "mean" });
  };
  return { trainables, lossOf };
}

async function collect(records: AsyncGenerator<StepRecord>): Promise<StepRecord[]> {
  const all = [];
  for await (const record of records) all.push(record);
  return all;
}

describe("training", () => {
  test("lowers the loss, continues where it stopped, and releases every byte", async () => {
    const { trainables, lossOf } = model();
    const before = device.memory().bytesInUse;
    {
      using optimiser = new AdamW(trainables, settings);
      const batch: MicroBatch = { name: "all", loss: (tape) => lossOf(tape) };
      const epoch = () =>
        collect(train(device, { optimiser, schedule, steps: Array.from({ length: 15 }, () => [batch]) }));
      const held = device.memory().bytesInUse;
      const records = [...(await epoch()), ...(await epoch())];
      expect(device.memory().bytesInUse).toBe(held);
      expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
      expect(records.at(-1)!.loss).toBeLessThan(0.7 * records[0]!.loss);
    }
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("records steps before it reports earlier ones, and stops when the loop is left", async () => {
    const { trainables, lossOf } = model();
    using optimiser = new AdamW(trainables, settings);
    const batch: MicroBatch = { name: "all", loss: (tape) => lossOf(tape) };
    const held = device.memory().bytesInUse;
    for await (const { step } of train(device, { optimiser, schedule, steps: Array(20).fill([batch]), ahead: 3 })) {
      expect(optimiser.steps).toBe(step + 3);
      if (step === 5) break;
    }
    expect(optimiser.steps).toBe(8);
    expect(device.memory().bytesInUse).toBe(held);
  });

  test("stops before the next step when its signal is aborted, and leaves no memory behind", async () => {
    const { trainables, lossOf } = model();
    using optimiser = new AdamW(trainables, settings);
    const steps = Array(20).fill([{ name: "all", loss: lossOf }]);
    const held = device.memory().bytesInUse;
    const reason = new Error("enough");
    const stopAt = async (last: number) => {
      const controller = new AbortController();
      const records = [];
      for await (const record of train(device, { optimiser, schedule, steps, ahead: 3, signal: controller.signal })) {
        records.push(record);
        if (records.length === last) controller.abort(reason);
      }
    };
    await expect(stopAt(5)).rejects.toBe(reason);
    expect(optimiser.steps).toBe(8);
    expect(device.memory().bytesInUse).toBe(held);
    // While the last steps are read, too.
    await expect(stopAt(18)).rejects.toBe(reason);
    expect(optimiser.steps).toBe(28);
    expect(device.memory().bytesInUse).toBe(held);

    const aborted = AbortSignal.abort(reason);
    await expect(collect(train(device, { optimiser, schedule, steps, signal: aborted }))).rejects.toBe(reason);
    expect(optimiser.steps).toBe(28);
  });

  test("reports each micro-batch, holds no scope meanwhile, and stops between two of them", async () => {
    const { trainables, lossOf } = model();
    using optimiser = new AdamW(trainables, settings);
    const steps = Array(2).fill(Array.from({ length: 3 }, (_, i) => ({ name: `part ${i}`, loss: lossOf })));
    const held = device.memory().bytesInUse;
    const told: string[] = [];
    const controller = new AbortController();
    const onMicroBatch = ({ step, done, of }: MicroBatchProgress) => {
      told.push(`${step}: ${done} of ${of}`);
      // Another task's scope, which outlives the micro-batch.
      if (done === 1) other.push(device.scope("other"));
      if (done === 2) other.pop()![Symbol.dispose]();
      if (step === 2 && done === 2) controller.abort(new Error("enough"));
    };
    const other: ReturnType<typeof device.scope>[] = [];
    const options = { optimiser, schedule, steps, signal: controller.signal, onMicroBatch };
    await expect(collect(train(device, options))).rejects.toThrow("enough");
    expect(told).toEqual(["1: 1 of 3", "1: 2 of 3", "1: 3 of 3", "2: 1 of 3", "2: 2 of 3"]);
    expect(optimiser.steps).toBe(1);
    expect(device.memory().bytesInUse).toBe(held);
  });

  test("the norm of gradients is computed only where clipping or the caller asks for it", () => {
    const { trainables } = model();
    const gradients = new Map(trainables.map(({ parameter }) => [parameter, ops.affine(parameter, {})]));
    const { clipNorm: _, ...unclipped } = settings;
    using optimiser = new AdamW(trainables, unclipped);
    const before = device.dispatches;
    optimiser.update(gradients, 0.01);
    expect(device.dispatches - before).toBe(trainables.length);
  });

  test("a column is trained alone", async () => {
    const { trainables, lossOf } = model();
    const [first, second] = trainables.map(({ parameter }) => parameter) as [F32, F32];
    const before = [await first.read(), await second.read()] as const;
    using optimiser = new AdamW([{ ...trainables[1]!, column: 3 }], settings);
    await collect(train(device, { optimiser, schedule, steps: [[{ name: "all", loss: (tape) => lossOf(tape) }]] }));
    expect(await first.read()).toEqual(before[0]);
    const moved = (await second.read()).map((value, i) => (value === before[1][i] ? 0 : 1));
    expect([...moved]).toEqual(Array.from(moved, (_, i) => (i % 8 === 3 ? 1 : 0)));
  });
});

describe("a run that breaks", () => {
  /** A step's batches, one of which has an infinite loss. */
  async function breakAt(step: number): Promise<NonFiniteError> {
    const { trainables, lossOf } = model();
    using optimiser = new AdamW(trainables, settings);
    const batches = (i: number): MicroBatch[] => [
      { name: `batch ${i}a`, loss: (tape) => lossOf(tape) },
      { name: `batch ${i}b`, loss: (tape) => lossOf(tape, i === step ? 1e30 : 1) },
    ];
    const steps = Array.from({ length: 12 }, (_, i) => batches(i + 1));
    const held = device.memory().bytesInUse;
    const error = await collect(train(device, { optimiser, schedule, steps })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(device.memory().bytesInUse).toBe(held);
    return error as NonFiniteError;
  }

  test("names step, batch and parameters", async () => {
    const { breakdown, message } = await breakAt(4);
    expect(breakdown).toMatchObject({ step: 4, batches: ["batch 4b"] });
    expect(breakdown.parameters).toContain("second");
    expect(message).toMatch(/stopped at step 4: .* on batch 4b\. Gradients that are not finite: .*second/);
  });

  test("because its device is lost between two steps ends with that error, and no other is left unhandled", async () => {
    const own = await openDevice();
    const { trainables, lossOf } = model(own);
    const optimiser = new AdamW(trainables, settings);
    async function* steps() {
      yield [{ name: "all", loss: lossOf }];
      own.gpu.destroy();
      await setTimeout(50);
    }
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    await expect(collect(train(own, { optimiser, schedule, steps: steps() }))).rejects.toThrow(DeviceLostError);
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  test("also in its last step", async () => {
    expect((await breakAt(12)).breakdown.step).toBe(12);
  });
});

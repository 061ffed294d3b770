import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { float64Backward } from "@lethe/testing/float64-backward";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import type { F32, Reduction } from "../../src/index.ts";
import {
  linearCrossEntropy,
  linearCrossEntropyBackward,
  linearCrossEntropyForward,
} from "../../src/ops/linear-cross-entropy.ts";
import { full } from "../../src/ops/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const device = await testDevice();

/** Sizes whose logits are whole, and come in three blocks, the last of which is short. */
const sizes = [
  { rows: 6, vocabulary: 37, width: 5 },
  { rows: 1025, vocabulary: 8203, width: 3 },
];

function inputs({ rows, vocabulary, width }: (typeof sizes)[0]) {
  const [x, weight] = [normal(rows * width), normal(vocabulary * width)];
  const labels = Int32Array.from({ length: rows }, () => integer(0, vocabulary - 1));
  labels.set([vocabulary - 1, -100, 0, -100]);
  return { x, weight, labels };
}

const product = (a: Array64, b: Array64, options: object) =>
  float64Ops.matmul(a as never, b as never, options) as unknown as Array64;

describe.each(sizes)("$rows rows of $vocabulary logits", ({ rows, vocabulary, width }) => {
  const { x, weight, labels } = inputs({ rows, vocabulary, width });
  const truth = { x: array64([rows, width], x), weight: array64([vocabulary, width], weight) };
  const logits = product(truth.x, truth.weight, { transposeB: true });
  // Two sequences, where the rows are even.
  const lead = rows % 2 === 0 ? [2, rows / 2] : [1, rows];
  const labels64 = array64(lead, labels);
  const shaped = { shape: [...lead, vocabulary], data: logits.data };
  const [dx, dw] = [device.tensor(x, [...lead, width]), device.tensor(weight, [vocabulary, width])];
  const dl = device.tensor(labels, lead, "i32");

  test.each(["none", "sequence", "mean"] as const)("reduction %s, with both gradients", async (reduction) => {
    const expected = float64Ops.crossEntropy(shaped as never, labels64 as never, { reduction }) as unknown as Array64;
    const { output, saved } = linearCrossEntropyForward(dx, dw, dl, { reduction });
    expectClose(await output.read(), expected.data, { label: "loss" });
    expect(await linearCrossEntropy(dx, dw, dl, { reduction }).read()).toEqual(await output.read());
    const seed = array64(expected.shape, normal(expected.data.length));
    const slopes = {
      ...float64Backward.crossEntropyBackward(shaped, labels64, seed, { reduction }),
      shape: logits.shape,
    };
    const [toX, toWeight] = [product(slopes, truth.weight, {}), product(slopes, truth.x, { transposeA: true })];
    const gradient = device.tensor(seed.data, output.shape);
    const call = (wants: { x: boolean; weight: boolean; into?: F32 }) =>
      linearCrossEntropyBackward(dx, dw, dl, saved, gradient, { reduction }, wants);
    const both = call({ x: true, weight: true });
    expectClose(await both.x!.read(), toX.data, { label: "gradient of x" });
    expectClose(await both.weight!.read(), toWeight.data, { label: "gradient of the weight" });
    const alone = call({ x: true, weight: false });
    expect(alone.weight).toBeNull();
    expect(await alone.x!.read()).toEqual(await both.x!.read());
    const into = full(device, [vocabulary, width], 0.5);
    expect(call({ x: false, weight: true, into })).toEqual({ x: null, weight: null });
    expectClose(
      await into.read(),
      toWeight.data.map((value) => value + 0.5),
      { label: "gradient added" },
    );
  });

  test("wrong labels and rows with NaN spoil their own losses alone; what does not count is 0", async () => {
    const [ill, wrong] = [Float32Array.from(x), Int32Array.from(labels)];
    ill[4 * width] = Number.NaN;
    ill[width] = Number.NaN;
    wrong.set([vocabulary], 2);
    wrong.set([-7], 5);
    const sick = device.tensor(ill, [rows, width]);
    const marks = device.tensor(wrong, [rows], "i32");
    const { output, saved } = linearCrossEntropyForward(sick, dw, marks, { reduction: "none" });
    const losses = await output.read();
    expect(Array.from(losses.slice(0, 6), Number.isNaN)).toEqual([false, false, true, false, true, true]);
    expect([losses[1], losses[3]]).toEqual([0, 0]);
    const { x: toX } = linearCrossEntropyBackward(
      sick,
      dw,
      marks,
      saved,
      full(device, [rows], 1),
      { reduction: "none" },
      {
        x: true,
        weight: false,
      },
    );
    const slopes = await toX!.read();
    const spoilt = Array.from({ length: 6 }, (_, row) =>
      slopes.slice(row * width, (row + 1) * width).every(Number.isNaN),
    );
    expect(spoilt).toEqual([false, false, true, false, true, true]);
    expect(slopes.slice(width, 2 * width).every((value) => value === 0)).toBe(true);
  });
});

test("large logits of either sign, a label that has nearly everything, and a weight of bf16", async () => {
  const { rows, vocabulary, width } = sizes[1]!;
  const labels = new Int32Array(rows).fill(8199);
  const values = new Float32Array(vocabulary * width).fill(-16);
  values.fill(16, 8199 * width, 8200 * width);
  for (const [scale, loss] of [
    [8, 0],
    [-8, 768 + Math.log(vocabulary - 1)],
  ] as const) {
    const x = full(device, [rows, width], scale);
    const weight = device.tensor(values, [vocabulary, width], "bf16");
    const y = device.tensor(labels, [rows], "i32");
    expectClose(
      await linearCrossEntropy(x, weight, y, { reduction: "none" }).read(),
      new Float32Array(rows).fill(loss),
    );
  }
});

test.each(["mean", "none"] as const)("the step never holds the logits: %s", async (reduction: Reduction) => {
  const [rows, vocabulary, width] = [400, 32_000, 16];
  using _ = device.scope("step");
  const x = device.tensor(normal(rows * width), [rows, width]);
  const weight = device.tensor(normal(vocabulary * width), [vocabulary, width]);
  const labels = device.tensor(new Int32Array(rows).fill(7), [rows], "i32");
  const gradient = full(device, reduction === "mean" ? [] : [rows], 1);
  const into = full(device, weight.shape, 0);
  const before = device.memory().bytesInUse;
  device.pool.resetPeak();
  const { saved } = linearCrossEntropyForward(x, weight, labels, { reduction });
  linearCrossEntropyBackward(x, weight, labels, saved, gradient, { reduction }, { x: true, weight: true, into });
  expect(device.memory().peakBytes - before).toBeLessThan((4 * rows * vocabulary) / 2);
});

test("what does not fit is refused", () => {
  const [x, weight] = [device.empty([2, 3]), device.empty([5, 4])];
  const labels = device.tensor([0, 1], [2], "i32") as Tensor<readonly number[], "i32">;
  expect(() => linearCrossEntropy(x, weight, labels, { reduction: "none" })).toThrow(
    "linearCrossEntropy: input [2, 3] and weight [5, 4] do not fit",
  );
  expect(() =>
    linearCrossEntropy(x, device.empty([5, 3]), device.tensor([1], [1], "i32"), { reduction: "none" }),
  ).toThrow("labels has shape [1] and must have [2]");
});

import { integer, normal, seed } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import {
  adamwStep,
  add,
  argmax,
  cast,
  crossEntropy,
  crossEntropyBackward,
  embedding,
  type F32,
  klDivergence,
  layerNormBackward,
  mse,
  openDevice,
  randomNormal,
  rmsNormBackward,
  roundInto,
  type Shape,
  scatterRows,
  scatterRowsInto,
  softmax,
  sumOfSquares,
  sumTo,
  swigluBackward,
  type Tensor,
  topK,
  unary,
  zeros,
} from "../../src/index.ts";
import { partsOf } from "../../src/ops/parts.ts";

// The same operations on two devices. One pretends that its bindings are small, so that it works in parts. Not one bit may differ.
const maxBindingBytes = 20_000;
const rows = 130; // of 77 floats: two parts of 64, which are aligned, and one of 2
const whole = await openDevice({ poison: true });
const parted = await openDevice({ poison: true, maxBindingBytes });
afterAll(() => {
  whole.destroy();
  parted.destroy();
});

type Device = typeof whole;
const x = normal(rows * 77);
const y = normal(rows * 77);
const row = normal(77);
const labels = Array.from({ length: rows }, () => (integer(0, 3) === 0 ? -100 : integer(0, 76)));
const ids = Array.from({ length: 50 }, () => integer(0, rows - 1));

const matrix = (device: Device, values = x) => device.tensor(values, [rows, 77]);
/** 50 rows, which one binding holds. */
const few = (device: Device) => device.tensor(x.slice(0, 50 * 77), [50, 77]);
const loss = (device: Device) => [matrix(device), device.tensor(labels, [rows], "i32")] as const;

const cases: Record<string, (device: Device) => readonly Tensor[]> = {
  "add, equal shapes": (d) => [add(matrix(d), matrix(d, y))],
  "add, a row to each row": (d) => [add(matrix(d), d.tensor(row, [77]))],
  "add, a column": (d) => [add(matrix(d), d.tensor(x.slice(0, rows), [rows, 1]))],
  unary: (d) => [unary(matrix(d), { kind: "gelu" })],
  "swiglu's gradients": (d) => Object.values(swigluBackward(matrix(d), matrix(d, y), matrix(d))),
  "rmsNorm's gradients": (d) =>
    Object.values(rmsNormBackward(matrix(d), d.tensor(row, [77]), matrix(d, y), { eps: 1e-5 })) as F32[],
  "layerNorm's gradients": (d) => {
    const bias = d.tensor(row, [77]);
    return Object.values(layerNormBackward(matrix(d), bias, bias, matrix(d, y), { eps: 1e-5 })) as F32[];
  },
  softmax: (d) => [softmax(matrix(d))],
  crossEntropy: (d) => [crossEntropy(...loss(d), { reduction: "mean" })],
  "crossEntropy's gradient": (d) => [crossEntropyBackward(...loss(d), d.tensor([1], []), { reduction: "mean" })],
  klDivergence: (d) => [klDivergence(matrix(d, y), ...loss(d), { reduction: "none" })],
  "mse, mean": (d) => [mse(matrix(d), matrix(d, y), { reduction: "mean" })],
  mse: (d) => [mse(matrix(d), matrix(d, y), { reduction: "rows" })],
  sumOfSquares: (d) => [sumOfSquares(matrix(d))],
  "sum of all rows": (d) => [sumTo(matrix(d), [77])],
  "sum over rows": (d) => [sumTo(d.tensor(x, [rows * 7, 11]), [rows * 7, 1])],
  argmax: (d) => [argmax(matrix(d))],
  topK: (d) => Object.values(topK(matrix(d), 3)),
  "embedding, f32": (d) => [embedding(matrix(d), d.tensor(ids, [50], "u32"))],
  "embedding, bf16": (d) => [embedding(d.tensor(x, [rows, 77], "bf16"), d.tensor(ids, [50], "u32"))],
  scatterRows: (d) => [scatterRows(few(d), d.tensor(ids, [50], "u32"), { rows })],
  "scatterRows into a target": (d) => {
    const target = matrix(d);
    scatterRowsInto(target, few(d), d.tensor(ids, [50], "u32"));
    return [target];
  },
  "cast there and back": (d) => [cast(cast(matrix(d), { dtype: "f16" }), { dtype: "f32" })],
  randomNormal: (d) => [randomNormal(d, [10_007], { seed })],
  roundInto: (d) => {
    const out = d.empty([rows, 77], "bf16");
    roundInto(out, matrix(d), { seed, step: 3 });
    return [out];
  },
  adamwStep: (d) => step(d, {}),
  "adamwStep of a column": (d) => step(d, { column: { index: 76, width: 77 } }),
};

function step(device: Device, extra: object): Tensor<Shape, "f32">[] {
  const [parameter, m, v] = [matrix(device), zeros(device, [rows, 77]), zeros(device, [rows, 77])];
  const rates = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: 1 };
  adamwStep(parameter, matrix(device, y), m, v, { ...rates, ...extra });
  return [parameter, m, v];
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);

test.each(Object.entries(cases))("%s is the same in parts", async (_, work) => {
  using _whole = whole.scope("whole");
  using _parted = parted.scope("parted");
  const dispatches = [whole.dispatches, parted.dispatches];
  const [expected, actual] = [work(whole), work(parted)];
  expect(parted.dispatches - dispatches[1]!).toBeGreaterThan(whole.dispatches - dispatches[0]!);
  for (const [i, tensor] of expected.entries())
    expect(bytes(await actual[i]!.read()).equals(bytes(await tensor.read())), `tensor ${i}`).toBe(true);
});

describe("parts", () => {
  test("are aligned, within a binding, and cover everything once", () => {
    const { bindingAlignment } = parted.capabilities;
    for (const [items, width, dtype] of [
      [rows, 77, "f32"],
      [1000, 33, "bf16"],
      [10_001, 1, "f32"],
      [131, 77, "f16"],
    ] as const) {
      using tensor = parted.empty([items, width], dtype);
      const parts = partsOf(parted, items, [[tensor, width]]);
      expect(parts.length).toBeGreaterThan(1);
      const perElement = dtype === "f32" ? 4 : 2;
      let next = 0;
      for (const { start, count } of parts) {
        expect(start).toBe(next);
        expect((start * width * perElement) % bindingAlignment).toBe(0);
        expect(count * width * perElement).toBeLessThanOrEqual(maxBindingBytes);
        next = start + count;
      }
      expect(next).toBe(items);
    }
  });

  test("a part that is too large even alone is refused, with its bytes", () => {
    using tensor = parted.empty([3, 5000], "f32", "logits");
    expect(() => softmax(tensor)).toThrow(
      /logits \[3, 5000\] is larger than one binding \(20000 bytes\), .* \(160000 bytes\)/,
    );
  });
});

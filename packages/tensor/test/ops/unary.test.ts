import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { unaryFunctions as functions } from "@lethe/testing/float64";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import type { UnaryKind } from "../../src/ops/ops.ts";
import { unary, unaryBackward } from "../../src/ops/unary.ts";

const device = await testDevice();

describe.each(Object.keys(functions) as UnaryKind[])("%s", (kind) => {
  const f = functions[kind];
  const positive = kind === "log" || kind === "sqrt";

  test.each([[1], [5], [3, 67]])("and its gradient at %j", async (...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const x = normal(size, 2).map((value) => (positive ? Math.abs(value) + 0.1 : value + 1e-3 * Math.sign(value)));
    const gradient = normal(size);
    const tensor = device.tensor(x, shape);
    expectClose(await unary(tensor, { kind }).read(), Float64Array.from(x, f));
    const [slope] = finiteDifferences((v) => v.map(f), [x], gradient);
    expectClose(await unaryBackward(tensor, device.tensor(gradient, shape), { kind }).read(), slope!);
  });
});

const far = [-1e30, -1e4, -100, -88, -20, -8, 8, 20, 88, 100, 1e4, 1e30];

test.each(["sigmoid", "logSigmoid", "silu", "relu", "gelu", "tanh"] as UnaryKind[])("%s far from 0", async (kind) => {
  const x = device.tensor(far, [far.length]);
  const ones = device.tensor(new Float32Array(far.length).fill(1), [far.length]);
  const expected = far.map((value) => (kind === "logSigmoid" && value < -700 ? value : functions[kind](value)));
  expectClose(await unary(x, { kind }).read(), expected);
  const slope = await unaryBackward(x, ones, { kind }).read();
  const rising = { sigmoid: 0, logSigmoid: 0, silu: 1, relu: 1, gelu: 1, tanh: 0 }[kind as "relu"];
  const falling = kind === "logSigmoid" ? 1 : 0;
  expectClose(
    slope,
    far.map((value) => (value > 0 ? rising : falling)),
    { atol: 0.003 },
  );
});

test("logSigmoid keeps small values", async () => {
  const x = [5, 8, 12, 16, 20];
  const actual = await unary(device.tensor(x, [5]), { kind: "logSigmoid" }).read();
  expectClose(actual, x.map(functions.logSigmoid), { atol: 0 });
});

test("at a kink the gradient is 0", async () => {
  const zero = device.tensor([0, -0], [2]);
  const one = device.tensor([1, 1], [2]);
  for (const kind of ["abs", "relu"] as const)
    expect([...(await unaryBackward(zero, one, { kind }).read())].map(Math.abs)).toEqual([0, 0]);
});

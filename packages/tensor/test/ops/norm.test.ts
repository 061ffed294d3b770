import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { array64 } from "@lethe/testing/float64";
import { float64Backward } from "@lethe/testing/float64-backward";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { normalizeRows } from "@lethe/testing/reference/norm";
import { describe, expect, test } from "vitest";
import type { FloatDType } from "../../src/dtype.ts";
import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from "../../src/ops/norm.ts";

const device = await testDevice();
const eps = 1e-5;

describe.each([
  [[5, 7], "f32"],
  [[2, 3, 64], "f16"],
  [[17, 65], "bf16"],
  [[3, 1000], "bf16"],
  [[1, 3], null],
  [[3, 1], null],
] as [number[], FloatDType | null][])("%j with a weight of %s", (shape, dtype) => {
  const width = shape.at(-1)!;
  const size = shape.reduce((a, b) => a * b, 1);

  async function parameters() {
    if (!dtype) return { weight: null, bias: null, w: undefined, b: undefined };
    const weight = device.tensor(normal(width), [width], dtype);
    const bias = device.tensor(normal(width), [width], dtype);
    return { weight, bias, w: await weight.read(), b: await bias.read() };
  }

  test("rmsNorm", async () => {
    const x = normal(size, 3);
    const { weight, w } = await parameters();
    const out = await rmsNorm(device.tensor(x, shape), weight, { eps }).read();
    expectClose(out, normalizeRows(x, width, { centered: false, eps, ...(w && { weight: w }) }));
  });

  test("layerNorm", async () => {
    const x = normal(size, 3).map((value) => value + 5);
    const { weight, bias, w, b } = await parameters();
    const out = await layerNorm(device.tensor(x, shape), weight, bias, { eps }).read();
    // The mean of numbers around 5 has an error of about 5 · 2⁻²⁴, which is divided by the row's deviation.
    const tolerance = width === 1 ? { atol: 1e-3 } : { atol: 2e-5 };
    expectClose(
      out,
      normalizeRows(x, width, { centered: true, eps, ...(w && b && { weight: w, bias: b }) }),
      tolerance,
    );
  });
});

describe.each([
  [[5, 7], true],
  [[2, 3, 10], false],
  [[40, 3], true],
  [[2, 130], true],
  [[9, 12], true],
] as [number[], boolean][])("gradients at %j, weight %s", (shape, withWeight) => {
  const width = shape.at(-1)!;
  const size = shape.reduce((a, b) => a * b, 1);
  const x = normal(size);
  const gradient = normal(size);
  const ones = new Float32Array(width).fill(1);
  const weight = withWeight ? normal(width) : ones;

  test("rmsNorm", async () => {
    const f = (v: Float64Array, w: Float64Array) => normalizeRows(v, width, { centered: false, eps, weight: w });
    const [dx, dw] = finiteDifferences(f, [x, weight], gradient);
    const actual = rmsNormBackward(
      device.tensor(x, shape),
      withWeight ? device.tensor(weight, [width]) : null,
      device.tensor(gradient, shape),
      { eps },
    );
    expectClose(await actual.x.read(), dx!, { label: "x" });
    if (withWeight) expectClose(await actual.weight!.read(), dw!, { label: "weight" });
    else expect(actual.weight).toBeNull();
  });

  test("layerNorm", async () => {
    const bias = normal(width);
    const f = (v: Float64Array, w: Float64Array, b: Float64Array) =>
      normalizeRows(v, width, { centered: true, eps, weight: w, bias: b });
    const [dx, dw, db] = finiteDifferences(f, [x, weight, bias], gradient);
    const actual = layerNormBackward(
      device.tensor(x, shape),
      withWeight ? device.tensor(weight, [width]) : null,
      withWeight ? device.tensor(bias, [width]) : null,
      device.tensor(gradient, shape),
      { eps },
    );
    expectClose(await actual.x.read(), dx!, { label: "x", atol: 2e-5 });
    if (!withWeight) return;
    expectClose(await actual.weight!.read(), dw!, { label: "weight" });
    expectClose(await actual.bias!.read(), db!, { label: "bias" });
  });
});

test("a weight of the wrong width is refused", () => {
  const x = device.tensor(normal(6), [2, 3]);
  expect(() => rmsNorm(x, device.tensor([1, 1], [2]), { eps })).toThrow(
    /rmsNorm: weight has shape \[2\] and must have \[3\]/,
  );
});

test("the weight's gradient can be added to a tensor, in place of a new one", async () => {
  const [x, g] = [device.tensor(normal(300 * 5), [300, 5]), device.tensor(normal(300 * 5), [300, 5])];
  const weight = device.tensor(normal(5), [5]);
  const into = device.tensor([1, 2, 3, 4, 5], [5]);
  const alone = await rmsNormBackward(x, weight, g, { eps }).weight!.read();
  expect(rmsNormBackward(x, weight, g, { eps, into }).weight).toBeNull();
  expectClose(
    await into.read(),
    alone.map((value, i) => value + i + 1),
  );
});

test("the weight's gradient is the same to the last bit every time", async () => {
  const [x, g] = [device.tensor(normal(300 * 5), [300, 5]), device.tensor(normal(300 * 5), [300, 5])];
  const weight = device.tensor(normal(5), [5]);
  const runs = [1, 2].map(() => rmsNormBackward(x, weight, g, { eps }).weight!.read());
  const [first, second] = await Promise.all(runs);
  expect(first).toEqual(second);
});

describe.each([7, 64, 1003, 8200])("rows of %i elements that f32 is too coarse for", (width) => {
  const rowsOf = (values: readonly ((c: number) => number)[]) =>
    Float32Array.from({ length: values.length * width }, (_, i) => values[Math.floor(i / width)]!(i % width));

  test("equal elements are 0 before the bias", async () => {
    const levels = [0.1, -3.7, 1000.3, 1e-3, 1.1e18, -2.3e30].map((level) => level * (1 + Math.abs(normal(1)[0]!)));
    const x = device.tensor(rowsOf(levels.map((level) => () => level)), [levels.length, width]);
    expect((await layerNorm(x, null, null, { eps }).read()).every((value) => value === 0)).toBe(true);
    const b = normal(width);
    const biased = layerNorm(x, device.tensor(normal(width), [width]), device.tensor(b, [width]), { eps });
    expect(await biased.read()).toEqual(rowsOf(levels.map(() => (c) => b[c]!)));
  });

  // Nearly equal ones, and those whose squares or sum overflow.
  const noise = normal(width);
  const x = rowsOf([
    (c) => 1000 + noise[c]! / 100,
    (c) => -7 + noise[c]! / 1e6,
    (c) => noise[c]! * 1e18,
    (c) => (5 + noise[c]!) * 1e19,
    (c) => 3e37 * (5 + noise[c]!),
  ]);
  const gradient = normal(x.length);
  const [w, shape] = [normal(width), [x.length / width, width]];
  const tolerance = { atol: 3e-5, rtol: 1e-4 };
  const to64 = (values: ArrayLike<number>, shape: number[]) => array64(shape, Array.from(values));

  test.each(["rmsNorm", "layerNorm"] as const)("%s and its gradients", async (norm) => {
    const [tensor, weight, upstream] = [
      device.tensor(x, shape),
      device.tensor(w, [width]),
      device.tensor(gradient, shape),
    ];
    const centered = norm === "layerNorm";
    const out = centered ? layerNorm(tensor, weight, null, { eps }) : rmsNorm(tensor, weight, { eps });
    expectClose(await out.read(), normalizeRows(x, width, { centered, eps, weight: w }), {
      ...tolerance,
      label: "out",
    });
    const given = centered
      ? layerNormBackward(tensor, weight, null, upstream, { eps })
      : rmsNormBackward(tensor, weight, upstream, { eps });
    const [x64, w64, g64] = [to64(x, shape), to64(w, [width]), to64(gradient, shape)];
    const expected = centered
      ? float64Backward.layerNormBackward(x64, w64, null, g64, { eps })
      : float64Backward.rmsNormBackward(x64, w64, g64, { eps });
    expectClose(await given.weight!.read(), expected.weight!.data, { ...tolerance, label: "weight" });
    // A row's gradients are as large as 1 / its deviation: each row is compared at its own scale.
    const actual = await given.x.read();
    for (let first = 0; first < x.length; first += width) {
      const wanted = expected.x.data.subarray(first, first + width);
      const scale = Math.max(...wanted.map(Math.abs));
      if (scale < 1e-33) continue; // Some adapters take what is below f32's least normal number as 0.
      const scaled = (values: ArrayLike<number>) => Float64Array.from(values, (value) => value / scale);
      expectClose(scaled(actual.subarray(first, first + width)), scaled(wanted), {
        atol: 3e-5,
        label: `row ${first / width}`,
      });
    }
  });
});

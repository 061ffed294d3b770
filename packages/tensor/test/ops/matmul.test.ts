import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { matmulReference } from "@lethe/testing/reference/matmul";
import { describe, expect, test } from "vitest";
import type { FloatDType } from "../../src/dtype.ts";
import { linear, matmul, matmulInto, matmulWith } from "../../src/ops/matmul.ts";
import type { MatmulKernel } from "../../src/ops/matmul-plan.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";

const device = await testDevice();

interface Case {
  m: number;
  n: number;
  k: number;
  /** Leading axes of `a`, and of `b` unless `shared`. */
  lead?: number[];
  shared?: boolean;
  transposeA?: boolean;
  transposeB?: boolean;
  dtype?: FloatDType;
}

const dtypes: FloatDType[] = ["f32", "f16", "bf16"];
const layouts = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];
/** A size that no tile divides. */
const odd = (low: number, high: number) => integer(low / 2, high / 2) * 2 + 1;

/** Runs one product, and compares it with float64 on the values that the device holds: a packed `b` after its rounding. */
async function check(kernel: MatmulKernel | undefined, size: Case): Promise<Float32Array> {
  const { m, n, k, lead = [], shared = lead.length === 0, transposeA = false, transposeB = false } = size;
  const shapeA: Shape = [...lead, ...(transposeA ? [k, m] : [m, k])];
  const shapeB: Shape = [...(shared ? [] : lead), ...(transposeB ? [n, k] : [k, n])];
  const a = device.tensor(normal(sizeOf(shapeA)), shapeA, "f32", "a");
  const b = device.tensor(normal(sizeOf(shapeB)), shapeB, size.dtype ?? "f32", "b");
  const out = matmulWith(kernel, a, b, { transposeA, transposeB });
  expect(out.shape).toEqual([...lead, m, n]);
  const values = await out.read();
  const options = { m, n, k, batch: sizeOf(lead), shared, transposeA, transposeB };
  const expected = matmulReference(await a.read(), await b.read(), options);
  // Rounding adds up along k: to about k · 2⁻²⁴ for terms of order 1.
  expectClose(values, expected, { atol: Math.max(1e-5, k * 1e-7), label: `${kernel} ${JSON.stringify(size)}` });
  return values;
}

describe.each(layouts)("%o", (layout) => {
  test.each(dtypes)("tiled, %s", async (dtype) => {
    await check("tiled", { m: odd(65, 80), n: odd(65, 80), k: odd(17, 40), ...layout, dtype });
    await check("tiled", { m: 64, n: 64, k: 32, ...layout, dtype });
  });

  test.each(dtypes)("subgroup, %s", async (dtype) => {
    await check("subgroup", { m: odd(17, 40), n: odd(65, 90), k: odd(5, 40), ...layout, dtype });
    await check("subgroup", { m: 16, n: 64, k: 64, ...layout, dtype });
  });

  // Sizes that fill neither tiles nor lanes, where every row can be read in whole vectors all the same.
  test.each(dtypes)("subgroup, in whole vectors, %s", async (dtype) => {
    const four = () => 4 * integer(1, 20);
    const size = () => ({
      m: layout.transposeA ? four() : odd(1, 40),
      n: layout.transposeB ? odd(1, 90) : four(),
      k: four(),
    });
    for (let i = 0; i < 3; i++) await check("subgroup", { ...size(), ...layout, dtype });
    await check("subgroup", { ...size(), lead: [3], ...layout, dtype });
    await check("subgroup", { ...size(), lead: [3], shared: true, ...layout, dtype });
    await check("subgroup", { ...size(), m: 1, ...layout, dtype });
    await check("subgroup", { ...size(), m: 1, lead: [3], ...layout, dtype });
  });

  test.each(dtypes)("small, %s", async (dtype) => {
    await check("small", { m: 3, n: odd(65, 90), k: odd(5, 300), ...layout, dtype });
    await check("small", { m: 1, n: 64, k: 512, ...layout, dtype });
  });

  test.each(dtypes)("plain, %s", async (dtype) => {
    await check("plain", { m: odd(1, 30), n: odd(1, 30), k: odd(1, 30), ...layout, dtype });
  });

  test.each(["tiled", "subgroup", "small", "plain"] as const)(
    "%s, in batches: each with its own b, and all with one",
    async (kernel) => {
      await check(kernel, { m: 9, n: 7, k: 5, lead: [2, 3], ...layout });
      await check(kernel, { m: 9, n: 7, k: 5, lead: [2, 3], shared: true, ...layout });
    },
  );
});

test.each([1, 2, 3, 4, 5, 20])("%i rows, in each kernel's variant for so few", async (m) => {
  for (const kernel of ["subgroup", "small"] as const)
    await check(kernel, { m, n: odd(1, 90), k: odd(1, 90), transposeB: true });
});

test.each([
  [9, 133, 33],
  [31, 70, 18],
])("tiles for %i rows", async (m, n, k) => {
  await check("tiled", { m, n, k });
});

test.each(["tiled", "small"] as const)("%s adds up slices of a long sum", async (kernel) => {
  await check(kernel, { m: 3, n: 5, k: 1100 + integer(0, 90), transposeA: true });
  await check(kernel, { m: 3, n: 5, k: 1024, transposeB: true, dtype: "bf16" });
});

test("the planner's choice, at many sizes", async () => {
  for (const [m, n, k] of [
    [1, 64, 64],
    [7, 172, 64],
    [60, 150, 64],
    [100, 64, 172],
    [64, 64, 300],
  ] as const)
    for (const transposeB of [true, false]) await check(undefined, { m, n, k, transposeB });
});

test("the same bits twice", async () => {
  const a = device.tensor(normal(70 * 130), [70, 130]);
  const b = device.tensor(normal(66 * 130), [66, 130]);
  for (const kernel of ["tiled", "subgroup", "small", "plain"] as const) {
    const options = { transposeB: true };
    const first = await matmulWith(kernel, a, b, options).read();
    expect(await matmulWith(kernel, a, b, options).read(), kernel).toEqual(first);
  }
});

test("linear takes any number of leading axes, and none", async () => {
  const weight = device.tensor(normal(7 * 5), [7, 5], "f16", "weight");
  for (const lead of [[], [3], [2, 3], [2, 1, 3]]) {
    const x = device.tensor(normal(sizeOf(lead) * 5), [...lead, 5]);
    const out = linear(x, weight);
    expect(out.shape).toEqual([...lead, 7]);
    const size = { m: sizeOf(lead), n: 7, k: 5, transposeB: true };
    expectClose(await out.read(), matmulReference(await x.read(), await weight.read(), size));
  }
});

test("a sum over no terms is 0, and a product without rows is empty", async () => {
  const sumOverNothing = matmul(device.empty([2, 3, 0]), device.empty([0, 5]));
  expect(sumOverNothing.shape).toEqual([2, 3, 5]);
  expect(await sumOverNothing.read()).toEqual(new Float32Array(30));
  expect(matmul(device.empty([0, 4]), device.empty([4, 5])).shape).toEqual([0, 5]);
  expect(matmul(device.empty([0, 3, 4]), device.empty([0, 4, 5])).shape).toEqual([0, 3, 5]);
  expect(linear(device.empty([2, 4]), device.empty([0, 4])).shape).toEqual([2, 0]);
});

describe("shapes that do not fit are refused, with both in the message", () => {
  const tensor = (...shape: number[]) => device.empty(shape as Shape);
  test("inner dimensions", () => {
    expect(() => matmul(tensor(2, 3), tensor(4, 5))).toThrow(
      "matmul: [2, 3] @ [4, 5]: inner dimensions 3 and 4 differ",
    );
    expect(() => matmul(tensor(2, 3), tensor(3, 5), { transposeB: true })).toThrow("[2, 3] @ [3, 5]ᵀ");
  });
  test("leading axes", () => {
    expect(() => matmul(tensor(2, 3, 4), tensor(3, 4, 5))).toThrow("leading axes [2] and [3] differ");
  });
  test("too few axes", () => {
    expect(() => matmul(tensor(3), tensor(3, 4))).toThrow("must both have at least two axes");
    expect(() => linear(tensor(3), tensor(4))).toThrow("linear: input [3] and weight [4] do not fit");
  });
});

test.each([
  [35, 70, 33],
  // Few tiles and a long sum: a GPU cuts the sum into slices.
  [5, 7, 1025],
])("matmulInto adds the product [%i, %i] over %i to its target", async (m, n, k) => {
  const [a, b, start] = [normal(k * m), normal(k * n), normal(m * n)];
  const target = device.tensor(start, [m, n]);
  matmulInto(target, device.tensor(a, [k, m]), device.tensor(b, [k, n]), { transposeA: true });
  const product = matmulReference(a, b, { m, n, k, transposeA: true });
  expectClose(
    await target.read(),
    product.map((value, i) => value + start[i]!),
    { atol: Math.max(1e-5, k * 1e-7) },
  );
  expect(() => matmulInto(target, device.tensor(a, [k, m]), device.tensor(b, [k, n]))).toThrow(/^matmulInto: /);
  expect(() => matmulInto(device.empty([m, 1]), device.empty([m, k]), device.empty([k, n]))).toThrow(
    `matmulInto: target has shape [${m}, 1] and must have [${m}, ${n}]`,
  );
});

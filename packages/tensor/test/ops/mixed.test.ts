import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { toHalf } from "@lethe/testing/half";
import { integer, normal } from "@lethe/testing/random";
import { matmulReference } from "@lethe/testing/reference/matmul";
import { describe, expect, test } from "vitest";
import { FeatureError, LetheError } from "../../src/errors.ts";
import { openDevice } from "../../src/index.ts";
import { mixedOps, ops } from "../../src/ops/index.ts";
import { matmulWith } from "../../src/ops/matmul.ts";
import { sizeOf } from "../../src/shape.ts";
import { checkMixed, layouts } from "./mixed-product.ts";

const device = await testDevice();
const mixed = mixedOps(ops);
const { f16 } = device.capabilities;

test.runIf(!f16)("without shader-f16, products are refused by an error that says so", () => {
  const x = device.empty([9, 4]);
  for (const product of [() => mixed.linear(x, x), () => mixed.matmul(x, x, { transposeB: true })])
    expect(product).toThrow(FeatureError);
  expect(() => mixed.linear(x, x)).toThrow(
    "linear: mixed precision needs an adapter with the WebGPU feature shader-f16",
  );
});

test("it does not stand over operations that record", () => {
  expect(() => mixedOps({ ...ops, records: true })).toThrow(LetheError);
});

const check = checkMixed.bind(null, device);
const odd = (low: number, high: number) => integer(low / 2, high / 2) * 2 + 1;
const four = (low: number, high: number) => integer(low / 4, high / 4) * 4;

describe.runIf(f16)("products of inputs rounded to f16, summed in f32", () => {
  describe.each(layouts)("%o", (layout) => {
    test.each(["f32", "f16", "bf16"] as const)("%s", async (dtype) => {
      // More than 32 rows, so that all take one tile: each variant takes seconds to compile.
      await check({ m: odd(35, 80), n: odd(30, 80), k: odd(17, 70), ...layout, dtype });
      await check({ m: four(36, 80), n: four(30, 150), k: four(30, 70), ...layout, dtype });
      await check({ m: 64, n: 64, k: 32, ...layout, dtype });
    });

    test("in batches: each with its own b, and all with one", async () => {
      await check({ m: 35, n: 7, k: 5, lead: [2, 3], ...layout });
      await check({ m: 36, n: 8, k: 20, lead: [2, 3], ...layout });
      await check({ m: 35, n: 7, k: 5, lead: [2, 3], shared: true, ...layout });
    });

    test("slices of a long sum", async () => {
      await check({ m: 35, n: 8, k: 1100, ...layout });
      await check({ m: 40, n: 5, k: 1000 + odd(0, 90), ...layout });
    });
  });

  test.each([
    [1e-12, 1e-3],
    [1e8, 1],
    [1e25, 1e-30],
    [1e-38, 1e36],
  ])("numbers far outside the range of f16: about %d and %d", async (scaleA, scaleB) => {
    await check({ m: 35, n: 21, k: 40, scaleA, scaleB });
    await check({ m: 35, n: 21, k: 40, scaleA: 1, scaleB: scaleA, dtype: "bf16" });
  });

  test("the error that is stated, against float64 of the unrounded inputs, at the length of a LLaMA's sums", async () => {
    const [m, n] = [33, 40];
    for (const k of [4096, 11008]) {
      const [a, b] = [normal(m * k), normal(n * k, 0.02)];
      using _ = device.scope("product");
      const out = await mixed.linear(device.tensor(a, [m, k]), device.tensor(b, [n, k])).read();
      const size = { m, n, k, transposeB: true };
      const exact = matmulReference(a, b, size);
      const magnitudes = matmulReference(a.map(Math.abs), b.map(Math.abs), size);
      let [squares, errors] = [0, 0];
      for (const [i, value] of exact.entries()) {
        const error = Math.abs(out[i]! - value);
        expect(error).toBeLessThanOrEqual((2 ** -10 + k * 2 ** -23) * magnitudes[i]!);
        squares += value ** 2;
        errors += error ** 2;
      }
      expect(Math.sqrt(errors / squares)).toBeLessThan(4e-4);
    }
  });

  test("NaN and infinity reach the elements that depend on them, and no others", async () => {
    const size = { m: 35, n: 37, k: 50 };
    for (const planted of [Number.NaN, Infinity, -Infinity])
      for (const place of ["a", "b"] as const) {
        using _ = device.scope("product");
        const inputs = { a: normal(size.m * size.k).map(toHalf), b: normal(size.k * size.n).map(toHalf) };
        inputs[place][integer(0, inputs[place].length - 1)] = planted;
        const out = matmulWith("mixed", device.tensor(inputs.a, [35, 50]), device.tensor(inputs.b, [50, 37]));
        expectClose(await out.read(), matmulReference(inputs.a, inputs.b, size));
      }
  });

  test("the same bits twice", async () => {
    const [a, b] = [device.tensor(normal(70 * 300), [70, 300]), device.tensor(normal(66 * 300), [66, 300])];
    const first = await mixed.linear(a, b).read();
    expect(await mixed.linear(a, b).read()).toEqual(first);
  });

  test("linear takes any number of leading axes, and keeps the messages of ops", async () => {
    const weight = device.tensor(normal(7 * 5), [7, 5], "bf16");
    for (const lead of [[], [3], [2, 3], [3, 4, 5]]) {
      const x = device.tensor(normal(sizeOf(lead) * 5), [...lead, 5]);
      const size = { m: sizeOf(lead), n: 7, k: 5, transposeB: true };
      const out = mixed.linear(x, weight);
      expect(out.shape).toEqual([...lead, 7]);
      expectClose(await out.read(), matmulReference(await x.read(), await weight.read(), size), { atol: 0.02 });
    }
    expect(() => mixed.linear(device.empty([9, 4]), weight as never)).toThrow("linear: input [9, 4] and weight [7, 5]");
  });

  test("matmulInto adds to its target", async () => {
    const [m, n, k] = [35, 30, 1025];
    const [a, b, start] = [normal(k * m).map(toHalf), normal(k * n).map(toHalf), normal(m * n)];
    const target = device.tensor(start, [m, n]);
    mixed.matmulInto(target, device.tensor(a, [k, m]), device.tensor(b, [k, n]), { transposeA: true });
    const product = matmulReference(a, b, { m, n, k, transposeA: true });
    expectClose(
      await target.read(),
      product.map((value, i) => value + start[i]!),
      { atol: k * 1e-7 },
    );
  });
});

test.runIf(f16)("operands larger than a binding are multiplied in parts, each with scales of its own", async () => {
  const small = await openDevice({ poison: true, maxBindingBytes: 8192 });
  for (const stored of layouts) await checkMixed(small, { m: 72, n: 60, k: 68, ...stored });
  await checkMixed(small, { m: 72, n: 60, k: 68, transposeB: true, dtype: "bf16" });
  small.destroy();
});

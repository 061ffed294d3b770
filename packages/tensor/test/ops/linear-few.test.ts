import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { gatedRows, product } from "@lethe/testing/reference/linear";
import { normalizeRows } from "@lethe/testing/reference/norm";
import { describe, expect, test } from "vitest";
import { linearFew } from "../../src/ops/fused/few-rows.ts";

const device = await testDevice();
const eps = 1e-5;
const kinds = ["rms", "layer"] as const;
/** A CPU's lanes, and a GPU's. */
const lanes = [
  { LANES_N: 8, LANES_K: 1 },
  { LANES_N: 1, LANES_K: 64 },
];

describe.each(lanes)("by lanes %j", (forced) => {
  describe.each([
    [1, 4, 1, "bf16", null],
    [1, 64, 67, "f32", "f32"],
    [2, 20, 33, "f16", "bf16"],
    [2, 516, 5, "f32", "f16"],
  ] as const)("%i rows of %i by %i columns of %s, with a norm's weight in %s", (m, k, n, dtype, normDtype) => {
    const shape = [m, k];

    test("a product, and one with an addend", async () => {
      const x = normal(m * k);
      const weight = device.tensor(normal(n * k), [n, k], dtype);
      const expected = product(x, await weight.read(), k);
      const tensor = device.tensor(x, shape);
      expectClose(await linearFew(tensor, weight, {}, forced)!.read(), expected);
      const addend = normal(m * n);
      const added = linearFew(tensor, weight, { addend: device.tensor(addend, [m, n]) }, forced)!;
      expectClose(
        await added.read(),
        expected.map((value, i) => value + addend[i]!),
      );
    });

    test.each(kinds)("after %s norm, and with a gate", async (kind) => {
      // The products are of order 1, so that the gate multiplies no rounding error.
      const [x, w] = [normal(m * k), normal(2 * n * k).map((value) => value / Math.sqrt(k))];
      const normWeight = normDtype && device.tensor(normal(k), [k], normDtype);
      const gain = normWeight ? await normWeight.read() : new Float32Array(k).fill(1);
      const input = normalizeRows(x, k, { centered: kind === "layer", eps, weight: gain });
      const both = product(input, w, k);
      const around = { norm: { kind, eps }, normWeight };
      const [tensor, weight] = [device.tensor(x, shape), device.tensor(w, [2 * n, k])];
      expectClose(await linearFew(tensor, weight, around, forced)!.read(), both);
      const gated = await linearFew(tensor, weight, { ...around, gated: true }, forced)!.read();
      expectClose(gated, gatedRows(both, n));
    });
  });

  test.each(kinds)("rows that f32 is too coarse for, after %s norm", async (kind) => {
    const [k, n] = [64, 9];
    const noise = normal(k);
    const w = normal(n * k);
    const rows = [
      noise.map((value) => 1000 + value / 100),
      noise.map((value) => -7 + value / 1e6),
      noise.map((value) => (5 + value) * 1e19),
      noise.map((value) => 3e37 * (5 + value)),
      noise.map(() => 0.1),
    ];
    for (const x of rows) {
      const input = normalizeRows(x, k, { centered: kind === "layer", eps, weight: new Float32Array(k).fill(1) });
      const tensor = device.tensor(x, [1, k]);
      const found = linearFew(tensor, device.tensor(w, [n, k]), { norm: { kind, eps } }, forced)!;
      expectClose(await found.read(), product(input, w, k), { atol: 3e-4 });
    }
  });

  test("NaN and infinity reach the outputs of their row alone", async () => {
    const x = normal(2 * 8);
    x[3] = Number.NaN;
    const weight = device.tensor(normal(3 * 8), [3, 8]);
    const values = await linearFew(device.tensor(x, [2, 8]), weight, { norm: { kind: "rms", eps } }, forced)!.read();
    expect([...values].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
  });
});

test("shapes that the kernel is not for are left to others", () => {
  const weight = (n: number, k: number) => device.empty([n, k]);
  expect(linearFew(device.empty([3, 8]), weight(4, 8))).toBeNull();
  expect(linearFew(device.empty([1, 6]), weight(4, 6))).toBeNull();
  expect(linearFew(device.empty([0, 8]), weight(4, 8))).toBeNull();
});

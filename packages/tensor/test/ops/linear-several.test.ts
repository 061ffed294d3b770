import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { gatedRows, product } from "@lethe/testing/reference/linear";
import { normalizeRows } from "@lethe/testing/reference/norm";
import { describe, expect, test } from "vitest";
import { linearSeveral } from "../../src/ops/fused/several-rows.ts";

const device = await testDevice();
const eps = 1e-5;
const { software, subgroups } = device.capabilities;
const forThisAdapter = software && subgroups?.min === subgroups?.max && [4, 8].includes(subgroups!.max);

describe.runIf(forThisAdapter)("on narrow subgroups", () => {
  describe.each([
    [1, 4, 4, "bf16", null],
    [3, 64, 68, "f32", "f32"],
    [4, 20, 36, "f16", "bf16"],
    [5, 516, 8, "f32", "f16"],
    [8, 64, 172, "f32", "f32"],
    [13, 36, 20, "bf16", "f32"],
    [24, 8, 100, "f32", null],
  ] as const)("%i rows of %i by %i columns of %s, with a norm's weight in %s", (m, k, n, dtype, normDtype) => {
    test.each(["rms", "layer", undefined] as const)("after %s norm, and with a gate", async (kind) => {
      const x = normal(m * k);
      // The products are of order 1, so that the gate multiplies no rounding error.
      const weight = device.tensor(
        normal(2 * n * k).map((value) => value / Math.sqrt(k)),
        [2 * n, k],
        dtype,
      );
      const normWeight = normDtype && device.tensor(normal(k), [k], normDtype);
      const gain = normWeight ? await normWeight.read() : new Float32Array(k).fill(1);
      const input = kind ? normalizeRows(x, k, { centered: kind === "layer", eps, weight: gain }) : x;
      const around = { norm: kind && { kind, eps }, normWeight };
      const both = product(input, await weight.read(), k);
      const tensor = device.tensor(x, [m, k]);
      const plain = linearSeveral(tensor, weight, around);
      if (kind === "rms") expectClose(await plain!.read(), both);
      else expect(plain).toBeNull();
      expectClose(await linearSeveral(tensor, weight, { ...around, gated: true })!.read(), gatedRows(both, n));
    });
  });

  test("rows whose squares f32 cannot hold, beside others", async () => {
    const [m, k, n] = [7, 64, 12];
    const x = normal(m * k).map((value, i) => value * [1, 1e19, 3e37, 1, 1e-18, 1e-30, 1e30][Math.floor(i / k)]!);
    const w = normal(2 * n * k).map((value) => value / 8);
    const input = normalizeRows(x, k, { centered: false, eps, weight: new Float32Array(k).fill(1) });
    const around = { norm: { kind: "rms", eps } } as const;
    const [tensor, weight] = [device.tensor(x, [m, k]), device.tensor(w, [2 * n, k])];
    const both = product(input, w, k);
    expectClose(await linearSeveral(tensor, weight, around)!.read(), both);
    expectClose(await linearSeveral(tensor, weight, { ...around, gated: true })!.read(), gatedRows(both, n));
  });

  test("NaN and infinity reach the outputs of their row alone", async () => {
    const x = normal(5 * 8);
    x[11] = Number.NaN;
    x[37] = Number.NEGATIVE_INFINITY;
    const weight = device.tensor(normal(4 * 8), [4, 8]);
    const values = await linearSeveral(device.tensor(x, [5, 8]), weight, { norm: { kind: "rms", eps } })!.read();
    expect([...values].map(Number.isNaN)).toEqual(
      [false, true, false, false, true].flatMap((broken) => Array(4).fill(broken)),
    );
  });
});

test("shapes that the kernel is not for are left to others", () => {
  const around = { norm: { kind: "rms", eps } } as const;
  const of = (m: number, n: number, k: number) => linearSeveral(device.empty([m, k]), device.empty([n, k]), around);
  expect(of(3, 8, 6)).toBeNull();
  expect(of(3, 6, 8)).toBeNull();
  expect(of(0, 8, 8)).toBeNull();
  expect(of(25, 8, 8)).toBeNull();
  expect(of(3, 4096, 64)).toBeNull();
  expect(linearSeveral(device.empty([3, 8]), device.empty([8, 8]), {})).toBeNull();
});

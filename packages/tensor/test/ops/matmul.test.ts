import { describe, expect, test } from "vitest";
import type { FloatDType } from "../../src/dtype.ts";
import type { Shape } from "../../src/index.ts";
import { matmulWith } from "../../src/ops/matmul.ts";
import type { MatmulKernel } from "../../src/ops/matmul-plan.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { integer, normal } from "../support/random.ts";
import { matmulReference } from "../support/reference/matmul.ts";

const device = await testDevice();

const dtypes: FloatDType[] = ["f32", "f16", "bf16"];
const kernels: MatmulKernel[] = ["plain", "tiled", "subgroup", "small"];
const layouts = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

/** Runs one product and compares it with float64 on the values that the device holds (a packed `b` after its rounding). */
async function check(
  kernel: MatmulKernel | undefined,
  size: { m: number; n: number; k: number; lead?: number[]; shared?: boolean },
  layout: { transposeA: boolean; transposeB: boolean },
  dtype: FloatDType,
): Promise<Float32Array> {
  const { m, n, k, lead = [], shared = lead.length === 0 } = size;
  const shapeA: Shape = [...lead, ...(layout.transposeA ? [k, m] : [m, k])];
  const shapeB: Shape = [...(shared ? [] : lead), ...(layout.transposeB ? [n, k] : [k, n])];
  const count = (shape: Shape) => shape.reduce((x, y) => x * y, 1);
  const a = device.tensor(normal(count(shapeA)), shapeA, "f32", "a");
  const b = device.tensor(normal(count(shapeB)), shapeB, dtype, "b");
  const out = matmulWith(kernel, a, b, layout);
  expect(out.shape).toEqual([...lead, m, n]);
  const values = await out.read();
  const batch = count(lead);
  const expected = matmulReference(await a.read(), await b.read(), { m, n, k, batch, shared, ...layout });
  expectClose(values, expected, { label: `${kernel} ${m}×${n}×${k} ${dtype} ${JSON.stringify(layout)}` });
  return values;
}

describe.each(kernels)("%s", (kernel) => {
  test.each(layouts)("random odd sizes in every dtype, %o", async (layout) => {
    for (const dtype of dtypes) {
      await check(kernel, { m: 1, n: 1, k: 1 }, layout, dtype);
      for (let i = 0; i < 3; i++)
        await check(kernel, { m: integer(1, 90), n: integer(1, 90), k: integer(1, 50) }, layout, dtype);
      await check(kernel, { m: 64 + integer(1, 9), n: 129, k: 33 }, layout, dtype);
      await check(kernel, { m: 128, n: 64, k: 64 }, layout, dtype);
    }
  });
});

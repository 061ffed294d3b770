import type { Device } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { toHalf } from "@lethe/testing/half";
import { normal } from "@lethe/testing/random";
import { matmulReference } from "@lethe/testing/reference/matmul";
import type { FloatDType } from "../../src/dtype.ts";
import { matmulWith } from "../../src/ops/matmul.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";

/** A product, and the standard deviations of its operands. */
export interface MixedProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lead?: number[];
  readonly shared?: boolean;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly dtype?: FloatDType;
  readonly scaleA?: number;
  readonly scaleB?: number;
}

/** Compares a product with the float64 sum of rounded inputs. */
export async function checkMixed(device: Device, size: MixedProduct): Promise<void> {
  const { m, n, k, lead = [], shared = lead.length === 0, transposeA = false, transposeB = false } = size;
  const { dtype = "f32", scaleA = 1, scaleB = 1 } = size;
  const shapeA: Shape = [...lead, ...(transposeA ? [k, m] : [m, k])];
  const shapeB: Shape = [...(shared ? [] : lead), ...(transposeB ? [n, k] : [k, n])];
  const a = device.tensor(normal(sizeOf(shapeA), scaleA), shapeA, "f32", "a");
  const b = device.tensor(normal(sizeOf(shapeB), scaleB), shapeB, dtype, "b");
  const out = matmulWith("mixed", a, b, { transposeA, transposeB });
  const options = { m, n, k, batch: sizeOf(lead), shared, transposeA, transposeB };
  const rounded = (values: ArrayLike<number>) => Float64Array.from(values, toHalf);
  const expected = matmulReference(rounded(await a.read()), rounded(await b.read()), options);
  const atol = Math.max(1e-5, k * 1e-7) * scaleA * scaleB;
  expectClose(await out.read(), expected, { atol, label: JSON.stringify(size) });
}

export const layouts = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
);

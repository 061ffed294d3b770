import type { Device, Shape, Tensor } from "@lethe/tensor";
import type { BenchCase, PreparedCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

export type F32 = Tensor<Shape, "f32">;

/** Tokens at a time, the width of a model, and its vocabulary: small enough for a software adapter. */
export const rows = 512;
export const width = 1024;
export const vocabulary = 8192;

/** A kernel whose cost is the memory it moves: `passes` tensors of `[rows, columns]`, each read or written once. */
export function streaming(
  name: string,
  { passes, columns = width }: { readonly passes: number; readonly columns?: number },
  prepare: (device: Device) => PreparedCase,
): BenchCase {
  return { name, shape: `${rows}×${columns}`, bytes: passes * 4 * rows * columns, prepare };
}

/** A function of each element of some tensors: reads them all, writes one. */
export function pointwise(
  name: string,
  run: (...inputs: F32[]) => F32,
  expected: (...inputs: number[]) => number,
): BenchCase {
  return streaming(name, { passes: expected.length + 1 }, (device) => {
    const inputs = Array.from({ length: expected.length }, () => normal(device, [rows, width]) as F32);
    return {
      run: () => run(...inputs),
      async check() {
        const values = await Promise.all(inputs.map((x) => x.read()));
        await checkSamples(name, run(...inputs), (i) => expected(...values.map((x) => x[i]!)));
      },
    };
  });
}

/** Labels within a number of columns, one a row. */
export function labelsOf(device: Device, columns = vocabulary) {
  const values = Int32Array.from({ length: rows }, (_, i) => (i * 31) % columns);
  return { values, labels: device.tensor(values, [rows], "i32", "labels") };
}

/** One row of a matrix. */
export const rowOf = (values: Float32Array, row: number, columns: number) =>
  values.subarray(row * columns, (row + 1) * columns);

/** Σ f(x) in float64. */
export const sumOf = (values: Float32Array, f: (x: number, i: number) => number) =>
  values.reduce((total, x, i) => total + f(x, i), 0);

/** log Σ exp(x) of normal values, which need no shift. */
export const logSumExp = (values: Float32Array) => Math.log(sumOf(values, Math.exp));

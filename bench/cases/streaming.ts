import type { ArrayOf, Device, Shape, Tensor } from "@lethe/tensor";
import type { BenchCase, PreparedCase } from "../case.ts";
import { checkSamples, type Expected, normal } from "../inputs.ts";

type F32 = Tensor<Shape, "f32">;

/** Tokens at a time, the width of a model, and its vocabulary: small enough for a software adapter. */
export const rows = 512;
export const width = 1024;
export const vocabulary = 8192;

interface Size {
  /** Tensors of `[rows, columns]` that the kernel must move: each read or written once. */
  readonly passes: number;
  readonly columns?: number;
}

/** A kernel whose cost is the memory it moves. */
export function streaming(
  name: string,
  { passes, columns = width }: Size,
  prepare: (device: Device) => PreparedCase,
): BenchCase {
  return { name, shape: `${rows}×${columns}`, bytes: passes * 4 * rows * columns, prepare };
}

/** Tensors' values, as they are read. */
type Values<T> = { [K in keyof T]: T[K] extends Tensor<Shape, infer D> ? ArrayOf<D> : never };

/**
 * {@link streaming}, for a kernel with one output, which is checked on samples.
 * @param expected gives what the output should be from the values of the inputs
 */
export function sampled<T extends readonly Tensor[]>(
  name: string,
  size: Size,
  inputs: (device: Device) => readonly [...T],
  run: (...inputs: T) => Tensor,
  expected: (...values: Values<T>) => Expected,
  tolerance?: number,
): BenchCase {
  return streaming(name, size, (device) => {
    const given = inputs(device);
    return {
      run: () => run(...given),
      async check() {
        const values = (await Promise.all(given.map((x) => x.read()))) as unknown as Values<T>;
        await checkSamples(name, run(...given), expected(...values), tolerance);
      },
    };
  });
}

/** A function of each element of some tensors: reads them all, writes one. */
export function pointwise(
  name: string,
  run: (...inputs: F32[]) => F32,
  expected: (...inputs: number[]) => number,
): BenchCase {
  return sampled<F32[]>(
    name,
    { passes: expected.length + 1 },
    (device) => Array.from({ length: expected.length }, () => normal(device, [rows, width])),
    run,
    (...values) =>
      (i) =>
        expected(...values.map((x) => x[i]!)),
  );
}

/** One label a row, within the vocabulary. */
export const labelsOf = (device: Device) =>
  device.tensor(
    Array.from({ length: rows }, (_, i) => (i * 31) % vocabulary),
    [rows],
    "i32",
    "labels",
  );

/** One row of a matrix. */
export const rowOf = (values: Float32Array, row: number, columns: number) =>
  values.subarray(row * columns, (row + 1) * columns);

/** Σ f(x) in float64. */
export const sumOf = (values: Float32Array, f: (x: number, i: number) => number) =>
  values.reduce((total, x, i) => total + f(x, i), 0);

/** The row of a matrix in which element `i` lies. */
export const rowAt = (values: Float32Array, i: number, columns = vocabulary) =>
  rowOf(values, Math.floor(i / columns), columns);

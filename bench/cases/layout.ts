import {
  cast,
  embedding,
  full,
  permute,
  randomNormal,
  randomUniform,
  type Shape,
  scatterRows,
  type Tensor,
  writeCache,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { rows, sampled, streaming, sumOf, vocabulary, width } from "./streaming.ts";

const heads = 16;
const headWidth = width / heads;
const capacity = 2 * rows;

const idOf = (row: number) => (row * 97) % vocabulary;
const ids = (...[device]: Parameters<BenchCase["prepare"]>): Tensor<Shape, "u32"> =>
  device.tensor(
    Uint32Array.from({ length: rows }, (_, row) => idOf(row)),
    [rows],
    "u32",
    "ids",
  );

export const layoutCases: readonly BenchCase[] = [
  sampled(
    "permute",
    { passes: 2 },
    (device) => [normal(device, [rows, heads, headWidth])],
    (x) => permute(x, { axes: [1, 0, 2] }),
    (x) => (i) => {
      const [head, row, d] = [Math.floor(i / (rows * headWidth)), Math.floor(i / headWidth) % rows, i % headWidth];
      return x[(row * heads + head) * headWidth + d]!;
    },
  ),
  sampled(
    "cast to bf16",
    { passes: 1.5 },
    (device) => [normal(device, [rows, width])],
    (x) => cast(x, { dtype: "bf16" }),
    (x) => (i) => x[i]!,
    2 ** -9 * 4, // bf16 keeps eight bits, so a rounded value is within 2⁻⁹ of the value before.
  ),
  streaming("cache write", { passes: 2 }, (device) => {
    const cache = full(device, [1, capacity, heads, headWidth], 0);
    const x = normal(device, [1, rows, heads, headWidth]);
    const run = () => writeCache(cache, x, { at: 3 });
    return {
      run,
      async check() {
        run();
        const values = await x.read();
        await checkSamples("cache write", cache, (i) => values[i - 3 * width] ?? 0);
      },
    };
  }),
  {
    ...sampled(
      "embedding",
      { passes: 2 },
      (device) => [normal(device, [vocabulary, width]), ids(device)],
      embedding,
      (table) => (i) => table[idOf(Math.floor(i / width)) * width + (i % width)]!,
    ),
    shape: `${rows} of ${vocabulary}×${width}`,
  },
  {
    ...streaming("scatter_rows", { passes: 1 + vocabulary / rows }, (device) => {
      const [values, index] = [normal(device, [rows, width]), ids(device)];
      const run = () => scatterRows(values, index, { rows: vocabulary });
      return {
        run,
        async check() {
          const [x, scattered] = await Promise.all([values.read(), run().read()]);
          const [got, want] = [sumOf(scattered, Math.abs), sumOf(x, Math.abs)];
          if (!(Math.abs(got - want) < 1e-6 * want))
            throw new Error(`scatter_rows: values of ${want} in all became ${got}`);
          for (const row of [0, 101, rows - 1]) {
            if (scattered[idOf(row) * width + row] !== x[row * width + row])
              throw new Error(`scatter_rows: row ${row} is not where its index says`);
          }
        },
      };
    }),
    shape: `${rows} to ${vocabulary}×${width}`,
  },
  streaming("fill", { passes: 1 }, (device) => ({
    run: () => full(device, [rows, width], 3),
    check: () => checkSamples("fill", full(device, [rows, width], 3), () => 3),
  })),
  streaming("random normal", { passes: 1 }, (device) => ({
    run: () => randomNormal(device, [rows, width], { seed: 1 }),
    check: async () => checkMoments(await randomNormal(device, [rows, width], { seed: 1 }).read(), 0, 1),
  })),
  streaming("random uniform", { passes: 1 }, (device) => ({
    run: () => randomUniform(device, [rows, width], { seed: 1 }),
    check: async () => checkMoments(await randomUniform(device, [rows, width], { seed: 1 }).read(), 0.5, 1 / 12),
  })),
];

/** Mean and variance, to about five of their standard errors. */
function checkMoments(values: Float32Array, mean: number, variance: number): void {
  const gotMean = sumOf(values, (x) => x) / values.length;
  const gotVariance = sumOf(values, (x) => (x - mean) ** 2) / values.length;
  const tolerance = 8 / Math.sqrt(values.length);
  if (!(Math.abs(gotMean - mean) < tolerance && Math.abs(gotVariance - variance) < tolerance))
    throw new Error(`random: mean ${gotMean} and variance ${gotVariance}, expected ${mean} and ${variance}`);
}

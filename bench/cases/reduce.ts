import { argmax, full, max, maxBackward, sum, sumOfSquares, topK } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { normal } from "../inputs.ts";
import { rowAt, rowOf, rows, sampled, streaming, sumOf, vocabulary, width } from "./streaming.ts";

const k = 4;

export const reduceCases: readonly BenchCase[] = [
  sampled(
    "sum over rows",
    { passes: 1 },
    (device) => [normal(device, [rows, width])],
    (x) => sum(x, { axis: 0 }),
    (x) => (column) => sumOf(x, (value, i) => (i % width === column ? value : 0)),
  ),
  sampled(
    "sum over columns",
    { passes: 1 },
    (device) => [normal(device, [rows, width])],
    (x) => sum(x, { axis: 1 }),
    (x) => (row) => sumOf(rowOf(x, row, width), (v) => v),
  ),
  sampled(
    "sum_of_squares",
    { passes: 1 },
    (device) => [normal(device, [rows, width])],
    sumOfSquares,
    (x) => () => sumOf(x, (value) => value * value),
  ),
  streaming("max backward", { passes: 2 }, (device) => {
    const x = normal(device, [rows, width]);
    const [largest, gradient] = [max(x, { axis: 1 }), full(device, [rows], 1)];
    const run = () => maxBackward(x, largest, gradient, { axis: 1 });
    return {
      run,
      async check() {
        const [values, most, slopes] = await Promise.all([x.read(), largest.read(), run().read()]);
        const wrong = slopes.findIndex((slope, i) => slope !== (values[i] === most[Math.floor(i / width)] ? 1 : 0));
        if (wrong >= 0) throw new Error(`max backward: element ${wrong} is ${slopes[wrong]}`);
      },
    };
  }),
  sampled(
    "argmax",
    { passes: 1, columns: vocabulary },
    (device) => [normal(device, [rows, vocabulary])],
    argmax,
    (x) => (row) => {
      const logits = rowOf(x, row, vocabulary);
      return logits.indexOf(Math.max(...logits));
    },
  ),
  {
    ...sampled(
      "top_k",
      { passes: 1, columns: vocabulary },
      (device) => [normal(device, [rows, vocabulary])],
      (x) => topK(x, k).values,
      (x) => (i) => rowAt(x, Math.floor(i / k) * vocabulary).toSorted((a, b) => b - a)[i % k]!,
    ),
    shape: `${k} of ${rows}×${vocabulary}`,
  },
];

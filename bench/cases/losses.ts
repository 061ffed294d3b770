import {
  crossEntropy,
  crossEntropyBackward,
  full,
  klDivergence,
  klDivergenceBackward,
  mse,
  mseBackward,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import {
  vocabulary as columns,
  labelsOf,
  logSumExp,
  rowAt,
  rowOf,
  rows,
  sampled,
  streaming,
  sumOf,
} from "./streaming.ts";

/** Upstream gradient of a mean: large, so that each row’s part of it is of order one. */
const upstream = rows;
const mean = { reduction: "mean" } as const;

const softmaxAt = (logits: Float32Array, i: number) => Math.exp(logits[i]! - logSumExp(rowAt(logits, i)));

export const lossCases: readonly BenchCase[] = [
  streaming("cross_entropy", { passes: 1, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    const labels = labelsOf(device);
    return {
      run: () => crossEntropy(x, labels, mean),
      async check() {
        const [values, wanted] = await Promise.all([x.read(), labels.read()]);
        const lossOf = (row: number) => {
          const logits = rowOf(values, row, columns);
          return logSumExp(logits) - logits[wanted[row]!]!;
        };
        await checkSamples("cross_entropy", crossEntropy(x, labels, { reduction: "none" }), lossOf);
        const total = Array.from({ length: rows }, (_, row) => lossOf(row)).reduce((sum, loss) => sum + loss, 0);
        await checkSamples("cross_entropy, mean", crossEntropy(x, labels, mean), () => total / rows);
      },
    };
  }),
  sampled(
    "cross_entropy backward",
    { passes: 2, columns },
    (device) => [normal(device, [rows, columns]), labelsOf(device), full(device, [], upstream)],
    (x, labels, gradient) => crossEntropyBackward(x, labels, gradient, mean),
    (x, wanted) => (i) => softmaxAt(x, i) - (i % columns === wanted[Math.floor(i / columns)] ? 1 : 0),
    1e-7,
  ),
  streaming("kl_divergence", { passes: 2, columns }, (device) => {
    const [reference, x] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const labels = labelsOf(device);
    return {
      run: () => klDivergence(reference, x, labels, mean),
      async check() {
        const [r, v] = await Promise.all([reference.read(), x.read()]);
        const divergence = (row: number) => {
          const [p, q] = [rowOf(r, row, columns), rowOf(v, row, columns)];
          const [logP, logQ] = [logSumExp(p), logSumExp(q)];
          return sumOf(p, (value, j) => Math.exp(value - logP) * (value - logP - q[j]! + logQ));
        };
        await checkSamples("kl_divergence", klDivergence(reference, x, labels, { reduction: "none" }), divergence);
      },
    };
  }),
  sampled(
    "kl_divergence backward",
    { passes: 3, columns },
    (device) => [
      normal(device, [rows, columns]),
      normal(device, [rows, columns]),
      labelsOf(device),
      full(device, [], upstream),
    ],
    (reference, x, labels, gradient) => klDivergenceBackward(reference, x, labels, gradient, mean),
    (reference, x) => (i) => softmaxAt(x, i) - softmaxAt(reference, i),
    1e-7,
  ),
  sampled(
    "mse",
    { passes: 2, columns },
    (device) => [normal(device, [rows, columns]), normal(device, [rows, columns])],
    (a, b) => mse(a, b, { reduction: "rows" }),
    (a, b) => (row) => {
      const other = rowOf(b, row, columns);
      return sumOf(rowOf(a, row, columns), (value, j) => (value - other[j]!) ** 2) / columns;
    },
  ),
  sampled(
    "mse backward",
    { passes: 3, columns },
    (device) => [normal(device, [rows, columns]), normal(device, [rows, columns]), full(device, [rows], columns)],
    (a, b, gradient) => mseBackward(a, b, gradient, { reduction: "rows" }),
    (a, b) => (i) => 2 * (a[i]! - b[i]!),
  ),
];

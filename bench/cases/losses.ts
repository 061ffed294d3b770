import {
  crossEntropy,
  crossEntropyBackward,
  full,
  klDivergence,
  klDivergenceBackward,
  mse,
  mseBackward,
} from "@lethe/tensor";
import { crossEntropyRows, klDivergenceRows, logSoftmaxRows, reduceTokens } from "@lethe/testing/reference/losses";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { vocabulary as columns, labelsOf, rowOf, rows, sampled, streaming, sumOf } from "./streaming.ts";

/** Upstream gradient of a mean: large, so that each row’s part of it is of order one. */
const upstream = rows;
const mean = { reduction: "mean" } as const;

const softmaxOf = (logits: Float32Array) => logSoftmaxRows(logits, columns).map(Math.exp);

export const lossCases: readonly BenchCase[] = [
  streaming("cross_entropy", { passes: 1, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    const labels = labelsOf(device);
    return {
      run: () => crossEntropy(x, labels, mean),
      async check() {
        const [values, wanted] = await Promise.all([x.read(), labels.read()]);
        const expected = crossEntropyRows(values, wanted, columns);
        await checkSamples("cross_entropy", crossEntropy(x, labels, { reduction: "none" }), expected);
        const average = reduceTokens(expected, wanted, "mean", rows);
        await checkSamples("cross_entropy, mean", crossEntropy(x, labels, mean), average);
      },
    };
  }),
  sampled(
    "cross_entropy backward",
    { passes: 2, columns },
    (device) => [normal(device, [rows, columns]), labelsOf(device), full(device, [], upstream)],
    (x, labels, gradient) => crossEntropyBackward(x, labels, gradient, mean),
    (x, wanted) => softmaxOf(x).map((p, i) => p - (i % columns === wanted[Math.floor(i / columns)] ? 1 : 0)),
    1e-7,
  ),
  streaming("kl_divergence", { passes: 2, columns }, (device) => {
    const [reference, x] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const labels = labelsOf(device);
    return {
      run: () => klDivergence(reference, x, labels, mean),
      async check() {
        const expected = klDivergenceRows(...(await Promise.all([reference.read(), x.read(), labels.read()])), columns);
        await checkSamples("kl_divergence", klDivergence(reference, x, labels, { reduction: "none" }), expected);
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
    (reference, x) => {
      const target = softmaxOf(reference);
      return softmaxOf(x).map((p, i) => p - target[i]!);
    },
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

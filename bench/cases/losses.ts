import {
  crossEntropy,
  crossEntropyBackward,
  full,
  klDivergence,
  klDivergenceBackward,
  linear,
  linearCrossEntropyBackward,
  linearCrossEntropyForward,
  matmul,
  matmulInto,
  mse,
  mseBackward,
  zeros,
} from "@lethe/tensor";
import { crossEntropyRows, klDivergenceRows, logSoftmaxRows, reduceTokens } from "@lethe/testing/reference/losses";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { vocabulary as columns, labelsOf, rowOf, rows, sampled, streaming, sumOf } from "./streaming.ts";

/** Upstream gradient of a mean: large, so that each row’s part of it is of order one. */
const upstream = rows;
const mean = { reduction: "mean" } as const;

const softmaxOf = (logits: Float32Array) => logSoftmaxRows(logits, columns).map(Math.exp);

/** Logits so large that they are computed in blocks, and the width of what the unembedding multiplies. */
const large = { rows: 400, tokens: 32_000, width: 64 };

export const lossCases: readonly BenchCase[] = [
  {
    name: "linear_cross_entropy with gradients",
    shape: `${large.rows}×${large.tokens}, d ${large.width}`,
    flops: 6 * large.rows * large.tokens * large.width,
    prepare(device) {
      const [x, weight] = [normal(device, [large.rows, large.width]), normal(device, [large.tokens, large.width])];
      const labels = device.tensor([...Array(large.rows).keys()], [large.rows], "i32");
      const [gradient, into] = [full(device, [], 1), zeros(device, weight.shape)];
      const run = () => {
        const { saved } = linearCrossEntropyForward(x, weight, labels, mean);
        const wants = { x: true, weight: true, into };
        return linearCrossEntropyBackward(x, weight, labels, saved, gradient, mean, wants).x!;
      };
      // The logits are whole.
      const plain = () => {
        const logits = linear(x, weight);
        crossEntropy(logits, labels, mean);
        const slopes = crossEntropyBackward(logits, labels, gradient, mean);
        matmulInto(into, slopes, x, { transposeA: true });
        return matmul(slopes, weight);
      };
      return {
        run,
        plain,
        check: async () => checkSamples("linear_cross_entropy", run(), await plain().read(), 1e-6),
      };
    },
  },
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

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
import { labelsOf, logSumExp, rowOf, rows, streaming, sumOf, vocabulary } from "./streaming.ts";

const columns = vocabulary;
const rowAt = (values: Float32Array, i: number) => rowOf(values, Math.floor(i / columns), columns);

/** Upstream gradient of a mean: large, so that each row’s part of it is of order one. */
const upstream = rows;
const mean = { reduction: "mean" } as const;

const meanOver = (f: (row: number) => number) => {
  const values = Array.from({ length: rows }, (_, row) => f(row));
  return () => values.reduce((total, value) => total + value, 0) / rows;
};

export const lossCases: readonly BenchCase[] = [
  streaming("cross_entropy", { passes: 1, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    const { values: wanted, labels } = labelsOf(device);
    return {
      run: () => crossEntropy(x, labels, mean),
      async check() {
        const values = await x.read();
        const lossOf = (row: number) => {
          const logits = rowOf(values, row, columns);
          return logSumExp(logits) - logits[wanted[row]!]!;
        };
        await checkSamples("cross_entropy", crossEntropy(x, labels, { reduction: "none" }), lossOf);
        await checkSamples("cross_entropy, mean", crossEntropy(x, labels, mean), meanOver(lossOf));
      },
    };
  }),
  streaming("cross_entropy backward", { passes: 2, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    const { values: wanted, labels } = labelsOf(device);
    const gradient = full(device, [], upstream);
    const run = () => crossEntropyBackward(x, labels, gradient, mean);
    return {
      run,
      async check() {
        const values = await x.read();
        await checkSamples(
          "cross_entropy backward",
          run(),
          (i) =>
            Math.exp(values[i]! - logSumExp(rowAt(values, i))) -
            (i % columns === wanted[Math.floor(i / columns)] ? 1 : 0),
          1e-7,
        );
      },
    };
  }),
  streaming("kl_divergence", { passes: 2, columns }, (device) => {
    const [reference, x] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const { labels } = labelsOf(device);
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
  streaming("kl_divergence backward", { passes: 3, columns }, (device) => {
    const [reference, x] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const { labels } = labelsOf(device);
    const gradient = full(device, [], upstream);
    const run = () => klDivergenceBackward(reference, x, labels, gradient, mean);
    return {
      run,
      async check() {
        const [r, v] = await Promise.all([reference.read(), x.read()]);
        await checkSamples(
          "kl_divergence backward",
          run(),
          (i) => Math.exp(v[i]! - logSumExp(rowAt(v, i))) - Math.exp(r[i]! - logSumExp(rowAt(r, i))),
          1e-7,
        );
      },
    };
  }),
  streaming("mse", { passes: 2, columns }, (device) => {
    const [a, b] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const run = () => mse(a, b, { reduction: "rows" });
    return {
      run,
      async check() {
        const [x, y] = await Promise.all([a.read(), b.read()]);
        await checkSamples("mse", run(), (row) => {
          const other = rowOf(y, row, columns);
          return sumOf(rowOf(x, row, columns), (value, j) => (value - other[j]!) ** 2) / columns;
        });
      },
    };
  }),
  streaming("mse backward", { passes: 3, columns }, (device) => {
    const [a, b] = [normal(device, [rows, columns]), normal(device, [rows, columns])];
    const gradient = full(device, [rows], columns);
    const run = () => mseBackward(a, b, gradient, { reduction: "rows" });
    return {
      run,
      async check() {
        const [x, y] = await Promise.all([a.read(), b.read()]);
        await checkSamples("mse backward", run(), (i) => 2 * (x[i]! - y[i]!));
      },
    };
  }),
];

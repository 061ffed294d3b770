import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "@lethe/tensor";
import { logSoftmaxRows } from "@lethe/testing/reference/losses";
import type { BenchCase } from "../case.ts";
import { normal } from "../inputs.ts";
import { vocabulary as columns, rowAt, rows, sampled, sumOf } from "./streaming.ts";

/** Values whose size says nothing about how large a gradient is, so that the samples' tolerance is relative. */
const scale = 1e3;

export const softmaxCases: readonly BenchCase[] = [
  sampled(
    "softmax",
    { passes: 2, columns },
    (device) => [normal(device, [rows, columns])],
    softmax,
    (x) => logSoftmaxRows(x, columns).map(Math.exp),
    1e-7,
  ),
  sampled(
    "softmax backward",
    { passes: 3, columns },
    (device) => [softmax(normal(device, [rows, columns])), normal(device, [rows, columns], scale)],
    softmaxBackward,
    (p, gradient) => (i) => {
      const g = rowAt(gradient, i);
      return p[i]! * (gradient[i]! - sumOf(rowAt(p, i), (value, j) => value * g[j]!));
    },
  ),
  sampled(
    "log_softmax",
    { passes: 2, columns },
    (device) => [normal(device, [rows, columns])],
    logSoftmax,
    (x) => logSoftmaxRows(x, columns),
  ),
  sampled(
    "log_softmax backward",
    { passes: 3, columns },
    (device) => [logSoftmax(normal(device, [rows, columns])), normal(device, [rows, columns])],
    logSoftmaxBackward,
    (p, gradient) => (i) => gradient[i]! - Math.exp(p[i]!) * sumOf(rowAt(gradient, i), (g) => g),
  ),
];

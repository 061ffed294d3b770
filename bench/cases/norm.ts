import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from "@lethe/tensor";
import { normalizeRows } from "@lethe/testing/reference/norm";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { rowAt, rowOf, rows, sampled, streaming, sumOf, width } from "./streaming.ts";

const eps = 1e-5;

const inverseRms = (row: Float32Array) => 1 / Math.sqrt(sumOf(row, (v) => v * v) / width + eps);

function standardised(row: Float32Array) {
  const mean = sumOf(row, (v) => v) / width;
  const inverse = 1 / Math.sqrt(sumOf(row, (v) => (v - mean) ** 2) / width + eps);
  return { inverse, at: (j: number) => (row[j]! - mean) * inverse };
}

export const normCases: readonly BenchCase[] = [
  sampled(
    "rms_norm",
    { passes: 2 },
    (device) => [normal(device, [rows, width]), normal(device, [width])],
    (x, weight) => rmsNorm(x, weight, { eps }),
    (x, weight) => normalizeRows(x, width, { centered: false, eps, weight }),
  ),
  // x and the gradient are read once for each row and once for the weight.
  streaming("rms_norm backward", { passes: 5 }, (device) => {
    const [x, gradient] = [normal(device, [rows, width]), normal(device, [rows, width])];
    const weight = normal(device, [width]);
    return {
      run: () => void rmsNormBackward(x, weight, gradient, { eps }),
      async check() {
        const [values, upstream, scale] = await Promise.all([x.read(), gradient.read(), weight.read()]);
        const gradients = rmsNormBackward(x, weight, gradient, { eps });
        await checkSamples("rms_norm backward, x", gradients.x, (i) => {
          const [row, g, column] = [rowAt(values, i, width), rowAt(upstream, i, width), i % width];
          const inverse = inverseRms(row);
          const dot = sumOf(row, (v, j) => v * g[j]! * scale[j]!);
          return inverse * upstream[i]! * scale[column]! - (inverse ** 3 * values[i]! * dot) / width;
        });
        const inverses = Array.from({ length: rows }, (_, r) => inverseRms(rowOf(values, r, width)));
        await checkSamples("rms_norm backward, weight", gradients.weight!, (column) =>
          inverses.reduce(
            (sum, inverse, r) => sum + upstream[r * width + column]! * values[r * width + column]! * inverse,
            0,
          ),
        );
      },
    };
  }),
  sampled(
    "layer_norm",
    { passes: 2 },
    (device) => [normal(device, [rows, width])],
    (x) => layerNorm(x, null, null, { eps }),
    (x) => normalizeRows(x, width, { centered: true, eps }),
  ),
  sampled(
    "layer_norm backward",
    { passes: 3 },
    (device) => [normal(device, [rows, width]), normal(device, [rows, width])],
    (x, gradient) => layerNormBackward(x, null, null, gradient, { eps }).x,
    (x, gradient) => (i) => {
      const { inverse, at } = standardised(rowAt(x, i, width));
      const g = rowAt(gradient, i, width);
      const [mean, dot] = [sumOf(g, (v) => v) / width, sumOf(g, (v, j) => v * at(j)) / width];
      return inverse * (gradient[i]! - mean - at(i % width) * dot);
    },
  ),
];

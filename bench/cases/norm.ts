import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { rowOf, rows, streaming, sumOf, width } from "./streaming.ts";

const eps = 1e-5;

const inverseRms = (row: Float32Array) => 1 / Math.sqrt(sumOf(row, (v) => v * v) / width + eps);

function standardised(row: Float32Array) {
  const mean = sumOf(row, (v) => v) / width;
  const inverse = 1 / Math.sqrt(sumOf(row, (v) => (v - mean) ** 2) / width + eps);
  return { inverse, at: (j: number) => (row[j]! - mean) * inverse };
}

/** Where a sample lies: its row of some matrices, and its column. */
const locate = (i: number, ...matrices: Float32Array[]) => ({
  column: i % width,
  own: matrices.map((values) => rowOf(values, Math.floor(i / width), width)),
});

export const normCases: readonly BenchCase[] = [
  streaming("rms_norm", { passes: 2 }, (device) => {
    const [x, weight] = [normal(device, [rows, width]), normal(device, [width])];
    return {
      run: () => rmsNorm(x, weight, { eps }),
      async check() {
        const [values, scale] = await Promise.all([x.read(), weight.read()]);
        await checkSamples("rms_norm", rmsNorm(x, weight, { eps }), (i) => {
          const { column, own } = locate(i, values);
          return values[i]! * inverseRms(own[0]!) * scale[column]!;
        });
      },
    };
  }),
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
          const { column, own } = locate(i, values, upstream);
          const [row, g] = own as [Float32Array, Float32Array];
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
  streaming("layer_norm", { passes: 2 }, (device) => {
    const x = normal(device, [rows, width]);
    return {
      run: () => layerNorm(x, null, null, { eps }),
      async check() {
        const values = await x.read();
        await checkSamples("layer_norm", layerNorm(x, null, null, { eps }), (i) => {
          const { column, own } = locate(i, values);
          return standardised(own[0]!).at(column);
        });
      },
    };
  }),
  streaming("layer_norm backward", { passes: 3 }, (device) => {
    const [x, gradient] = [normal(device, [rows, width]), normal(device, [rows, width])];
    const run = () => layerNormBackward(x, null, null, gradient, { eps }).x;
    return {
      run,
      async check() {
        const [values, upstream] = await Promise.all([x.read(), gradient.read()]);
        await checkSamples("layer_norm backward", run(), (i) => {
          const { column, own } = locate(i, values, upstream);
          const [row, g] = own as [Float32Array, Float32Array];
          const { inverse, at } = standardised(row);
          const [mean, dot] = [sumOf(g, (v) => v) / width, sumOf(g, (v, j) => v * at(j)) / width];
          return inverse * (upstream[i]! - mean - at(column) * dot);
        });
      },
    };
  }),
];

import { argmax, full, max, maxBackward, sum, sumOfSquares, topK } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { rowOf, rows, streaming, sumOf, vocabulary, width } from "./streaming.ts";

const k = 4;

export const reduceCases: readonly BenchCase[] = [
  streaming("sum over rows", { passes: 1 }, (device) => {
    const x = normal(device, [rows, width]);
    return {
      run: () => sum(x, { axis: 0 }),
      async check() {
        const values = await x.read();
        await checkSamples("sum over rows", sum(x, { axis: 0 }), (column) =>
          sumOf(values, (value, i) => (i % width === column ? value : 0)),
        );
      },
    };
  }),
  streaming("sum over columns", { passes: 1 }, (device) => {
    const x = normal(device, [rows, width]);
    return {
      run: () => sum(x, { axis: 1 }),
      async check() {
        const values = await x.read();
        await checkSamples("sum over columns", sum(x, { axis: 1 }), (row) =>
          sumOf(rowOf(values, row, width), (v) => v),
        );
      },
    };
  }),
  streaming("sum_of_squares", { passes: 1 }, (device) => {
    const x = normal(device, [rows, width]);
    return {
      run: () => sumOfSquares(x),
      async check() {
        const total = sumOf(await x.read(), (value) => value * value);
        await checkSamples("sum_of_squares", sumOfSquares(x), () => total);
      },
    };
  }),
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
  streaming("argmax", { passes: 1, columns: vocabulary }, (device) => {
    const x = normal(device, [rows, vocabulary]);
    return {
      run: () => argmax(x),
      async check() {
        const values = await x.read();
        await checkSamples("argmax", argmax(x), (row) => {
          const logits = rowOf(values, row, vocabulary);
          return logits.indexOf(Math.max(...logits));
        });
      },
    };
  }),
  {
    ...streaming("top_k", { passes: 1, columns: vocabulary }, (device) => {
      const x = normal(device, [rows, vocabulary]);
      return {
        run: () => void topK(x, k),
        async check() {
          const values = await x.read();
          await checkSamples("top_k", topK(x, k).values, (i) => {
            const sorted = rowOf(values, Math.floor(i / k), vocabulary).toSorted((a, b) => b - a);
            return sorted[i % k]!;
          });
        },
      };
    }),
    shape: `${k} of ${rows}×${vocabulary}`,
  },
];

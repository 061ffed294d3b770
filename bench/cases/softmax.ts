import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { logSumExp, rowOf, rows, streaming, sumOf, vocabulary } from "./streaming.ts";

const columns = vocabulary;
const rowAt = (values: Float32Array, i: number) => rowOf(values, Math.floor(i / columns), columns);

/** Values whose size says nothing about how large a gradient is, so that the samples' tolerance is relative. */
const scale = 1e3;

export const softmaxCases: readonly BenchCase[] = [
  streaming("softmax", { passes: 2, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    return {
      run: () => softmax(x),
      async check() {
        const values = await x.read();
        await checkSamples("softmax", softmax(x), (i) => Math.exp(values[i]! - logSumExp(rowAt(values, i))), 1e-7);
      },
    };
  }),
  streaming("softmax backward", { passes: 3, columns }, (device) => {
    const output = softmax(normal(device, [rows, columns]));
    const gradient = normal(device, [rows, columns], scale);
    const run = () => softmaxBackward(output, gradient);
    return {
      run,
      async check() {
        const [p, upstream] = await Promise.all([output.read(), gradient.read()]);
        await checkSamples("softmax backward", run(), (i) => {
          const g = rowAt(upstream, i);
          return p[i]! * (upstream[i]! - sumOf(rowAt(p, i), (value, j) => value * g[j]!));
        });
      },
    };
  }),
  streaming("log_softmax", { passes: 2, columns }, (device) => {
    const x = normal(device, [rows, columns]);
    return {
      run: () => logSoftmax(x),
      async check() {
        const values = await x.read();
        await checkSamples("log_softmax", logSoftmax(x), (i) => values[i]! - logSumExp(rowAt(values, i)));
      },
    };
  }),
  streaming("log_softmax backward", { passes: 3, columns }, (device) => {
    const output = logSoftmax(normal(device, [rows, columns]));
    const gradient = normal(device, [rows, columns]);
    const run = () => logSoftmaxBackward(output, gradient);
    return {
      run,
      async check() {
        const [p, upstream] = await Promise.all([output.read(), gradient.read()]);
        await checkSamples(
          "log_softmax backward",
          run(),
          (i) => upstream[i]! - Math.exp(p[i]!) * sumOf(rowAt(upstream, i), (g) => g),
        );
      },
    };
  }),
];

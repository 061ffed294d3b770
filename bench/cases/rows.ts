import {
  add,
  argmax,
  crossEntropy,
  crossEntropyBackward,
  embedding,
  klDivergence,
  layerNorm,
  logSoftmax,
  rmsNorm,
  rmsNormBackward,
  type Shape,
  softmax,
  sum,
  swiglu,
  swigluBackward,
  type Tensor,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

type F32 = Tensor<Shape, "f32">;

const rows = 512;
const width = 1024;
const vocabulary = 8192;
const eps = 1e-5;

/** A kernel whose cost is the memory it moves: `passes` tensors of `[rows, columns]`, read or written once. */
function streaming(
  name: string,
  passes: number,
  columns: number,
  prepare: (
    input: () => F32,
    labels: Tensor<Shape, "i32">,
  ) => { run: () => F32; expected: Promise<(i: number) => number> },
  shape = `${rows}×${columns}`,
): BenchCase {
  return {
    name,
    shape,
    bytes: passes * 4 * rows * columns,
    prepare(device) {
      const labels = device.tensor(
        Int32Array.from({ length: rows }, (_, i) => (i * 31) % columns),
        [rows],
        "i32",
        "labels",
      );
      const { run, expected } = prepare(() => normal(device, [rows, columns]), labels);
      return { run, check: async () => checkSamples(name, run(), await expected) };
    },
  };
}

const rowOf = (values: Float32Array, row: number, columns: number) =>
  values.subarray(row * columns, (row + 1) * columns);
const sumOf = (values: Float32Array, f: (x: number) => number) => values.reduce((total, x) => total + f(x), 0);
const silu = (x: number) => x / (1 + Math.exp(-x));

export const rowCases: readonly BenchCase[] = [
  streaming("rms_norm", 2, width, (input) => {
    const x = input();
    const expected = x.read().then((values) => (i: number) => {
      const row = rowOf(values, Math.floor(i / width), width);
      return values[i]! / Math.sqrt(sumOf(row, (v) => v * v) / width + eps);
    });
    return { run: () => rmsNorm(x, null, { eps }), expected };
  }),
  streaming("rms_norm backward", 3, width, (input) => {
    const [x, gradient] = [input(), input()];
    const expected = Promise.all([x.read(), gradient.read()]).then(([values, upstream]) => (i: number) => {
      const at = Math.floor(i / width);
      const [row, g] = [rowOf(values, at, width), rowOf(upstream, at, width)];
      const inverse = 1 / Math.sqrt(sumOf(row, (v) => v * v) / width + eps);
      const dot = row.reduce((total, v, j) => total + v * g[j]!, 0);
      return inverse * upstream[i]! - (inverse ** 3 * values[i]! * dot) / width;
    });
    return { run: () => rmsNormBackward(x, null, gradient, { eps }).x, expected };
  }),
  streaming("layer_norm", 2, width, (input) => {
    const x = input();
    const expected = x.read().then((values) => (i: number) => {
      const row = rowOf(values, Math.floor(i / width), width);
      const mean = sumOf(row, (v) => v) / width;
      return (values[i]! - mean) / Math.sqrt(sumOf(row, (v) => (v - mean) ** 2) / width + eps);
    });
    return { run: () => layerNorm(x, null, null, { eps }), expected };
  }),
  streaming("swiglu", 3, width, (input) => {
    const [gate, up] = [input(), input()];
    const expected = Promise.all([gate.read(), up.read()]).then(
      ([g, u]) =>
        (i: number) =>
          silu(g[i]!) * u[i]!,
    );
    return { run: () => swiglu(gate, up), expected };
  }),
  streaming("swiglu backward", 5, width, (input) => {
    const [gate, up, gradient] = [input(), input(), input()];
    const expected = Promise.all([gate.read(), gradient.read()]).then(
      ([g, upstream]) =>
        (i: number) =>
          silu(g[i]!) * upstream[i]!,
    );
    return { run: () => swigluBackward(gate, up, gradient).up, expected };
  }),
  streaming("add", 3, width, (input) => {
    const [a, b] = [input(), input()];
    const expected = Promise.all([a.read(), b.read()]).then(
      ([x, y]) =>
        (i: number) =>
          x[i]! + y[i]!,
    );
    return { run: () => add(a, b), expected };
  }),
  streaming("sum over rows", 1, width, (input) => {
    const x = input();
    const expected = x.read().then((values) => (column: number) => {
      let total = 0;
      for (let row = 0; row < rows; row++) total += values[row * width + column]!;
      return total;
    });
    return { run: () => sum(x, { axis: 0 }), expected };
  }),
  streaming("softmax", 2, vocabulary, (input) => {
    const x = input();
    const expected = x.read().then((values) => (i: number) => {
      const row = rowOf(values, Math.floor(i / vocabulary), vocabulary);
      return Math.exp(values[i]!) / sumOf(row, Math.exp);
    });
    return { run: () => softmax(x), expected };
  }),
  streaming("log_softmax", 2, vocabulary, (input) => {
    const x = input();
    const expected = x.read().then((values) => (i: number) => {
      const row = rowOf(values, Math.floor(i / vocabulary), vocabulary);
      return values[i]! - Math.log(sumOf(row, Math.exp));
    });
    return { run: () => logSoftmax(x), expected };
  }),
  streaming("cross_entropy", 1, vocabulary, (input, labels) => {
    const x = input();
    const expected = x.read().then((values) => (row: number) => {
      const logits = rowOf(values, row, vocabulary);
      return Math.log(sumOf(logits, Math.exp)) - logits[(row * 31) % vocabulary]!;
    });
    return { run: () => crossEntropy(x, labels, { reduction: "none" }), expected };
  }),
  streaming("cross_entropy backward", 2, vocabulary, (input, labels) => {
    const x = input();
    const gradient = x.device.tensor(new Float32Array(rows).fill(1), [rows]);
    const expected = x.read().then((values) => (i: number) => {
      const row = Math.floor(i / vocabulary);
      const logits = rowOf(values, row, vocabulary);
      return Math.exp(values[i]!) / sumOf(logits, Math.exp) - (i % vocabulary === (row * 31) % vocabulary ? 1 : 0);
    });
    return { run: () => crossEntropyBackward(x, labels, gradient, { reduction: "none" }), expected };
  }),
  streaming("kl_divergence", 2, vocabulary, (input, labels) => {
    const [reference, x] = [input(), input()];
    const expected = Promise.all([reference.read(), x.read()]).then(([r, v]) => (row: number) => {
      const [p, q] = [rowOf(r, row, vocabulary), rowOf(v, row, vocabulary)];
      const [logP, logQ] = [Math.log(sumOf(p, Math.exp)), Math.log(sumOf(q, Math.exp))];
      return p.reduce((total, value, i) => total + Math.exp(value - logP) * (value - logP - q[i]! + logQ), 0);
    });
    return { run: () => klDivergence(reference, x, labels, { reduction: "none" }), expected };
  }),
  streaming("argmax", 1, vocabulary, (input) => {
    const x = input();
    const expected = x.read().then((values) => (row: number) => {
      const logits = rowOf(values, row, vocabulary);
      return logits.indexOf(Math.max(...logits));
    });
    return { run: () => argmax(x) as unknown as F32, expected };
  }),
  {
    name: "embedding",
    shape: `${rows} of ${vocabulary}×${width}`,
    bytes: 2 * 4 * rows * width,
    prepare(device) {
      const table = normal(device, [vocabulary, width]);
      const ids = device.tensor(
        Uint32Array.from({ length: rows }, (_, i) => (i * 97) % vocabulary),
        [rows],
        "u32",
        "ids",
      );
      const run = () => embedding(table, ids);
      return {
        run,
        async check() {
          const values = await table.read();
          await checkSamples("embedding", run(), (i) => {
            const row = (Math.floor(i / width) * 97) % vocabulary;
            return values[row * width + (i % width)]!;
          });
        },
      };
    },
  },
];

import {
  add,
  addInto,
  affine,
  clamp,
  clampBackward,
  mul,
  swiglu,
  swigluBackward,
  unary,
  unaryBackward,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";
import { pointwise, rows, sampled, streaming, width } from "./streaming.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const siluSlope = (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x)));
const limits = { min: -1, max: 1 };

export const elementwiseCases: readonly BenchCase[] = [
  pointwise("add", add, (a, b) => a + b),
  pointwise(
    "affine",
    (x) => affine(x, { factor: 2, offset: 1 }),
    (x) => 2 * x + 1,
  ),
  pointwise(
    "clamp",
    (x) => clamp(x, limits),
    (x) => Math.min(1, Math.max(-1, x)),
  ),
  pointwise(
    "clamp backward",
    (x, gradient) => clampBackward(x, gradient, limits),
    (x, gradient) => (Math.abs(x) <= 1 ? gradient : 0),
  ),
  pointwise(
    "unary silu",
    (x) => unary(x, { kind: "silu" }),
    (x) => x * sigmoid(x),
  ),
  pointwise(
    "unary silu backward",
    (x, gradient) => unaryBackward(x, gradient, { kind: "silu" }),
    (x, gradient) => gradient * siluSlope(x),
  ),
  pointwise("swiglu", swiglu, (gate, up) => gate * sigmoid(gate) * up),
  streaming("swiglu backward", { passes: 5 }, (device) => {
    const [gate, up] = [normal(device, [rows, width]), normal(device, [rows, width])];
    const gradient = normal(device, [rows, width]);
    return {
      run: () => void swigluBackward(gate, up, gradient),
      async check() {
        const [g, u, upstream] = await Promise.all([gate.read(), up.read(), gradient.read()]);
        const gradients = swigluBackward(gate, up, gradient);
        await checkSamples("swiglu backward, gate", gradients.gate, (i) => upstream[i]! * u[i]! * siluSlope(g[i]!));
        await checkSamples("swiglu backward, up", gradients.up, (i) => upstream[i]! * g[i]! * sigmoid(g[i]!));
      },
    };
  }),
  {
    ...sampled(
      "mul by a row",
      { passes: 2 },
      (device) => [normal(device, [rows, width]), normal(device, [width])],
      mul,
      (x, row) => (i) => x[i]! * row[i % width]!,
    ),
    shape: `${rows}×${width} · ${width}`,
  },
  streaming("add_into", { passes: 3 }, (device) => {
    const [target, x] = [normal(device, [rows, width]), normal(device, [rows, width])];
    const run = () => addInto(target, x, { factor: 0.5 });
    return {
      run,
      async check() {
        const [before, added] = await Promise.all([target.read(), x.read()]);
        run();
        await checkSamples("add_into", target, (i) => before[i]! + 0.5 * added[i]!);
      },
    };
  }),
];

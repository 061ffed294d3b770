import { randomOf } from "@lethe/tensor";

/** Numbers of a task, row-major, in float32. */
export interface Operand {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What every library is asked to do, on the same numbers. */
export interface Task {
  readonly kind: "matmul" | "rms_norm" | "swiglu" | "softmax" | "attention" | "mlp_step";
  readonly shape: string;
  /** Operations or bytes, to guess from one size how long another takes. */
  readonly amount: number;
  readonly operands: Readonly<Record<string, Operand>>;
  /** An element of the output in float64. */
  readonly expected: (index: number) => number;
  /** Elements of the output, and how far one may be from what is expected, where that is 1 or less. */
  readonly size: number;
  readonly tolerance: number;
}

/** A task before its numbers are made. */
export type TaskPlan = Pick<Task, "kind" | "shape" | "amount"> & { readonly make: () => Task };

/** Constants of the tasks, the same for every library. */
export const eps = 1e-5;
export const adam = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** What is added to the scores of `length` queries and keys: nothing where a query sees a key, else a large negative number. */
export function causalMask(length: number): Float32Array {
  return Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0));
}

function operand(shape: readonly number[], name: string, std = 1): Operand {
  const random = randomOf("peers", name, ...shape);
  const size = shape.reduce((a, b) => a * b, 1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { shape, values: Float32Array.from({ length: size }, () => std * normal()) };
}

/** Σ a[i] · b[i] over `length` pairs, from an offset on and with a step in each. */
function dot(
  length: number,
  a: Float32Array,
  [fromA, stepA]: [number, number],
  b: Float32Array,
  [fromB, stepB]: [number, number],
) {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[fromA + i * stepA]! * b[fromB + i * stepB]!;
  return sum;
}

type Made = Pick<Task, "operands" | "expected" | "size"> & { readonly tolerance?: number };

function plan(kind: Task["kind"], shape: string, amount: number, make: () => Made): TaskPlan {
  return { kind, shape, amount, make: () => ({ kind, shape, amount, tolerance: 1e-4, ...make() }) };
}

/** `a [m, k]` by `b [k, n]`. */
function matmul(m: number, k: number, n: number): TaskPlan {
  return plan("matmul", `${m}×${k}×${n}`, 2 * m * k * n, () => {
    // Of such a size that the product has the deviation of a, and a chain of products neither grows nor vanishes.
    const [a, b] = [operand([m, k], "a"), operand([k, n], "b", 1 / Math.sqrt(k))];
    const expected = (i: number) => dot(k, a.values, [Math.floor(i / n) * k, 1], b.values, [i % n, n]);
    return { operands: { a, b }, size: m * n, expected };
  });
}

function rmsNorm(rows: number, width: number): TaskPlan {
  return plan("rms_norm", `${rows}×${width}`, 8 * rows * width, () => {
    const [x, weight] = [operand([rows, width], "x"), operand([width], "weight")];
    const expected = (i: number) => {
      const row: [number, number] = [i - (i % width), 1];
      const square = dot(width, x.values, row, x.values, row) / width;
      return (x.values[i]! / Math.sqrt(square + eps)) * weight.values[i % width]!;
    };
    return { operands: { x, weight }, size: rows * width, expected };
  });
}

function swiglu(rows: number, width: number): TaskPlan {
  return plan("swiglu", `${rows}×${width}`, 12 * rows * width, () => {
    const [gate, up] = [operand([rows, width], "gate"), operand([rows, width], "up")];
    const expected = (i: number) => (gate.values[i]! / (1 + Math.exp(-gate.values[i]!))) * up.values[i]!;
    return { operands: { gate, up }, size: rows * width, expected };
  });
}

function softmax(rows: number, width: number): TaskPlan {
  return plan("softmax", `${rows}×${width}`, 8 * rows * width, () => {
    const x = operand([rows, width], "x");
    const expected = (i: number) => {
      const row = x.values.subarray(i - (i % width), i - (i % width) + width);
      return Math.exp(x.values[i]!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
    };
    return { operands: { x }, size: rows * width, expected, tolerance: 1e-6 };
  });
}

/** Causal attention; q, k and v are `[length, heads, width]`. */
function attention(heads: number, length: number, width: number): TaskPlan {
  return plan("attention", `${heads}×${length}×${width}, causal`, 2 * heads * length * length * width, () => {
    const shape = [length, heads, width];
    const [q, k, v] = [operand(shape, "q"), operand(shape, "k"), operand(shape, "v")];
    const line = heads * width;
    const expected = (i: number) => {
      const [t, inHead] = [Math.floor(i / line), i % line];
      const head = inHead - (inHead % width);
      const at = (row: number): [number, number] => [row * line + head, 1];
      const scores = Array.from({ length: t + 1 }, (_, j) =>
        Math.exp(dot(width, q.values, at(t), k.values, at(j)) / Math.sqrt(width)),
      );
      const total = scores.reduce((sum, score) => sum + score, 0);
      return scores.reduce((sum, score, j) => sum + score * v.values[j * line + inHead]!, 0) / total;
    };
    return { operands: { q, k, v }, size: length * line, expected };
  });
}

/**
 * A step of Adam on the mean square error of `relu(x w1) w2`. The output is the loss before the step, then w2 after the first step, in which
 * Adam moves each weight by the learning rate against the sign of its gradient.
 */
function mlpStep(batch: number, inputs: number, hidden: number, outputs: number): TaskPlan {
  const weights = inputs * hidden + hidden * outputs;
  return plan("mlp_step", `${batch}×${inputs}-${hidden}-${outputs}, Adam`, 6 * batch * weights, () => {
    const [x, y] = [operand([batch, inputs], "x"), operand([batch, outputs], "y")];
    const w1 = operand([inputs, hidden], "w1", 1 / Math.sqrt(inputs));
    const w2 = operand([hidden, outputs], "w2", 1 / Math.sqrt(hidden));
    const h = new Float64Array(batch * hidden);
    for (let i = 0; i < h.length; i++)
      h[i] = Math.max(0, dot(inputs, x.values, [Math.floor(i / hidden) * inputs, 1], w1.values, [i % hidden, hidden]));
    const error = new Float64Array(batch * outputs);
    for (let i = 0; i < error.length; i++) {
      const [row, column] = [Math.floor(i / outputs), i % outputs];
      let sum = 0;
      for (let j = 0; j < hidden; j++) sum += h[row * hidden + j]! * w2.values[j * outputs + column]!;
      error[i] = sum - y.values[i]!;
    }
    const loss = error.reduce((sum, value) => sum + value * value, 0) / error.length;
    const expected = (i: number) => {
      if (i === 0) return loss;
      const [row, column] = [Math.floor((i - 1) / outputs), (i - 1) % outputs];
      let slope = 0;
      for (let b = 0; b < batch; b++) slope += h[b * hidden + row]! * error[b * outputs + column]!;
      slope *= 2 / error.length;
      return w2.values[i - 1]! - (adam.learningRate * slope) / (Math.abs(slope) + adam.epsilon);
    };
    return { operands: { x, y, w1, w2 }, size: 1 + hidden * outputs, expected, tolerance: 5e-4 };
  });
}

/** The rows of the table, small products first. */
export const taskPlans: readonly TaskPlan[] = [
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(2048, 2048, 2048),
  matmul(128, 1024, 4096),
  matmul(1, 1024, 4096),
  rmsNorm(2048, 4096),
  swiglu(2048, 4096),
  softmax(2048, 2048),
  attention(8, 512, 64),
  mlpStep(256, 512, 1024, 512),
];

/** Compares some elements, spread over an output, with float64. @throws when one is wrong or the output has another size */
export function checkOutput({ size, expected, tolerance }: Task, output: ArrayLike<number>): void {
  if (output.length !== size) throw new Error(`gave ${output.length} elements in place of ${size}`);
  const count = 61; // prime, so that samples do not fall on one column
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * (size - 1)) / (count - 1));
    const [got, want] = [output[index]!, expected(index)];
    if (!(Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want))))
      throw new Error(`gave a wrong output: element ${index} is ${got}, expected ${want}`);
  }
}

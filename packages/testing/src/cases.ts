import type { OpName, Reduction, UnaryKind } from "@lethe/tensor";
import { integer, normal } from "./random.ts";

/** An operand of a checked call. Floating-point ones are differentiated unless frozen. */
export interface Operand {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly dtype: "f32" | "bf16" | "u32" | "i32";
  readonly frozen?: boolean;
}

export interface Case {
  readonly op: OpName;
  readonly operands: readonly (Operand | null)[];
  readonly options?: Readonly<Record<string, unknown>>;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

const floats = (...shape: number[]): Operand => ({ shape, values: normal(sizeOf(shape)), dtype: "f32" });
const positive = (...shape: number[]): Operand => ({
  shape,
  values: normal(sizeOf(shape)).map((value) => 0.5 + Math.abs(value)),
  dtype: "f32",
});
const frozen = (operand: Operand): Operand => ({ ...operand, frozen: true });
/** A frozen weight as a checkpoint stores it, of values that bf16 holds exactly. */
const packed = (...shape: number[]): Operand => ({
  shape,
  values: Float32Array.from({ length: sizeOf(shape) }, () => integer(-16, 16) / 8),
  dtype: "bf16",
});
const below = (limit: number, ...shape: number[]): Operand => ({
  shape,
  values: Uint32Array.from({ length: sizeOf(shape) }, () => integer(0, limit - 1)),
  dtype: "u32",
});
const whole = (dtype: "u32" | "i32", shape: number[], values: number[]): Operand => ({ shape, values, dtype });

/** Values at least 0.05 away from each other and from `kinks`, so that no central difference straddles one. */
function spread(shape: number[], kinks: readonly number[] = []): Operand {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i - sizeOf(shape) / 2 + 0.3) * 0.17);
  for (let i = values.length - 1; i > 0; i--) {
    const j = integer(0, i);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  const away = (v: number) => (kinks.some((kink) => Math.abs(v - kink) < 0.02) ? v + 0.05 : v);
  return { shape, values: values.map(away), dtype: "f32" };
}

const labels = whole("i32", [2, 3], [4, -100, 0, 6, 2, -100]);
const kinds: UnaryKind[] = ["neg", "exp", "square", "sigmoid", "logSigmoid", "silu", "gelu", "tanh"];
const reductions: Reduction[] = ["none", "sequence", "mean"];
const matmulOptions = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
);

const reduced = [
  ...[0, 1, 2].map((axis) => ({ axis })),
  ...[undefined, 0, 1, 2].map((axis) => ({ ...(axis !== undefined && { axis }), keepDims: true })),
];

const last = <T extends unknown[]>(shape: T, swap: boolean) => (swap ? [...shape].reverse() : shape) as number[];

/** Every operation, in each form whose gradient is computed in another way. */
export const cases: readonly Case[] = [
  ...matmulOptions.flatMap((options): Case[] => {
    const [a, b] = [last([3, 5], options.transposeA), last([5, 2], options.transposeB)];
    return [
      { op: "matmul", operands: [floats(...a), floats(...b)], options },
      { op: "matmul", operands: [floats(2, ...a), floats(2, ...b)], options },
      { op: "matmul", operands: [floats(2, 2, ...a), floats(...b)], options },
      { op: "matmul", operands: [floats(2, ...a), packed(...b)], options },
    ];
  }),
  { op: "linear", operands: [floats(2, 3, 5), floats(4, 5)] },
  { op: "linear", operands: [floats(2, 5), packed(4, 5)] },
  { op: "embedding", operands: [floats(7, 3), below(7, 2, 5)] },
  { op: "rmsNorm", operands: [floats(2, 3, 7), floats(7)], options: { eps: 1e-5 } },
  { op: "rmsNorm", operands: [floats(3, 7), null], options: { eps: 1e-5 } },
  { op: "rmsNorm", operands: [floats(3, 7), packed(7)], options: { eps: 1e-5 } },
  { op: "rmsNorm", operands: [floats(3, 8), packed(8)], options: { eps: 1e-5 } },
  { op: "layerNorm", operands: [floats(2, 3, 7), floats(7), floats(7)], options: { eps: 1e-5 } },
  { op: "layerNorm", operands: [floats(3, 7), null, null], options: { eps: 1e-5 } },
  ...[false, true].map(
    (inverse): Case => ({
      op: "rope",
      operands: [floats(2, 3, 2, 4), frozen(floats(6, 4)), below(6, 2, 3)],
      options: { inverse },
    }),
  ),
  { op: "attention", operands: [floats(2, 5, 4, 4), floats(2, 5, 2, 4), floats(2, 5, 2, 4)] },
  {
    op: "attention",
    operands: [floats(2, 5, 2, 4), floats(2, 5, 1, 4), floats(2, 5, 1, 4)],
    options: { starts: whole("u32", [2], [0, 2]), scale: 0.7 },
  },
  {
    op: "attention",
    operands: [floats(2, 5, 2, 4), floats(2, 3, 1, 4), floats(2, 3, 1, 4)],
    options: { starts: whole("u32", [2], [0, 2]), causal: false },
  },
  { op: "attentionPattern", operands: [floats(2, 5, 4, 4), floats(2, 5, 2, 4)] },
  {
    op: "attentionPattern",
    operands: [floats(2, 3, 2, 4), floats(2, 7, 1, 4)],
    options: { starts: whole("u32", [2], [0, 4]), length: 6, scale: 0.7 },
  },
  { op: "attentionPattern", operands: [floats(2, 5, 4, 4), floats(2, 3, 2, 4)], options: { causal: false } },
  { op: "attendWithPattern", operands: [floats(2, 4, 3, 5), floats(2, 5, 2, 4)] },
  { op: "attendWithPattern", operands: [floats(2, 2, 3, 4), floats(2, 6, 1, 8)] },
  { op: "swiglu", operands: [floats(3, 7), floats(3, 7)] },
  ...(["add", "sub", "mul", "div"] as const).flatMap((op): Case[] => [
    { op, operands: [floats(3, 5), positive(3, 5)] },
    { op, operands: [floats(2, 3, 5), positive(3, 1)] },
    { op, operands: [floats(3, 1), positive(2, 1, 5)] },
    { op, operands: [floats(2, 3), positive()] },
  ]),
  { op: "affine", operands: [floats(3, 5)], options: { factor: -1.7, offset: 0.3 } },
  { op: "affine", operands: [floats(5)], options: { offset: 0.3 } },
  ...kinds.map((kind): Case => ({ op: "unary", operands: [floats(3, 5)], options: { kind } })),
  ...(["log", "sqrt"] as const).map((kind): Case => ({ op: "unary", operands: [positive(3, 5)], options: { kind } })),
  ...(["abs", "relu"] as const).map(
    (kind): Case => ({ op: "unary", operands: [spread([3, 5], [0])], options: { kind } }),
  ),
  { op: "clamp", operands: [spread([3, 5], [-0.5, 0.8])], options: { min: -0.5, max: 0.8 } },
  { op: "softmax", operands: [floats(2, 3, 7)] },
  { op: "softmax", operands: [floats(3, 8)] },
  { op: "logSoftmax", operands: [floats(2, 3, 7)] },
  { op: "logSoftmax", operands: [floats(3, 8)] },
  ...reductions.flatMap((reduction): Case[] => [
    { op: "crossEntropy", operands: [floats(2, 3, 7), labels], options: { reduction } },
    { op: "linearCrossEntropy", operands: [floats(2, 3, 5), floats(7, 5), labels], options: { reduction } },
    { op: "linearCrossEntropy", operands: [floats(2, 3, 5), packed(7, 5), labels], options: { reduction } },
    { op: "klDivergence", operands: [frozen(floats(2, 3, 7)), floats(2, 3, 7), labels], options: { reduction } },
    { op: "crossEntropy", operands: [floats(2, 3, 8), labels], options: { reduction } },
    { op: "klDivergence", operands: [frozen(floats(2, 3, 8)), floats(2, 3, 8), labels], options: { reduction } },
  ]),
  ...(["rows", "mean"] as const).map(
    (reduction): Case => ({ op: "mse", operands: [floats(3, 7), floats(3, 7)], options: { reduction } }),
  ),
  { op: "gatherRows", operands: [floats(4, 3, 2), whole("u32", [5], [3, 0, 3, 1, 3])] },
  { op: "scatterRows", operands: [floats(5, 3), whole("u32", [5], [3, 0, 3, 1, 3])], options: { rows: 6 } },
  ...(["sum", "mean"] as const).flatMap((op): Case[] => [
    { op, operands: [floats(3, 5)] },
    ...reduced.map((options): Case => ({ op, operands: [floats(2, 3, 5)], options })),
  ]),
  { op: "max", operands: [spread([3, 5])] },
  { op: "max", operands: [spread([3, 8])], options: { axis: 1 } },
  { op: "sum", operands: [floats(3, 8)], options: { axis: 0 } },
  ...reduced.map((options): Case => ({ op: "max", operands: [spread([2, 3, 5])], options })),
  { op: "reshape", operands: [floats(3, 4)], options: { shape: [2, 6] } },
  { op: "permute", operands: [floats(2, 3, 4)], options: { axes: [2, 0, 1] } },
  { op: "slice", operands: [floats(3, 5, 2)], options: { axis: 1, start: 1, end: 4 } },
  { op: "concat", operands: [floats(2, 3), floats(2, 4)], options: { axis: 1 } },
  { op: "concat", operands: [floats(2, 3), floats(1, 3)], options: { axis: 0 } },
  { op: "cast", operands: [floats(3, 4)], options: { dtype: "f32" } },
];

const isOperand = (value: unknown): value is Operand => typeof value === "object" && value !== null && "dtype" in value;

/** Operands and options of a case, with each tensor in it made by `make`. */
export function callOf<T>({ operands, options }: Case, make: (operand: Operand) => T): unknown[] {
  const made = operands.map((operand) => operand && make(operand));
  if (!options) return made;
  const change = ([key, value]: [string, unknown]) => [key, isOperand(value) ? make(value) : value];
  return [...made, Object.fromEntries(Object.entries(options).map(change))];
}

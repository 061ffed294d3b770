import { callOf, cases, type Operand } from "@lethe/testing/cases";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { float64Backward } from "@lethe/testing/float64-backward";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { attentionFamilies } from "../../src/ops/attention-plan.ts";
import * as exported from "../../src/ops/index.ts";
import { matmulKernels } from "../../src/ops/matmul-plan.ts";
import { type F32, reductions, type UnaryKind } from "../../src/ops/ops.ts";

// NaN in, NaN out, in exactly the outputs that depend on it, and the same for infinities: each operation and each kernel against a
// float64 reference, with NaN and ±∞ planted at random.

const device = await testDevice();

type Call = (...operands: readonly unknown[]) => unknown;
type Result = Array64 | { readonly [name: string]: Result | null };

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);
const floats = (...shape: number[]): Operand => ({ shape, values: normal(sizeOf(shape)), dtype: "f32" });
const isFloat = ({ dtype }: Operand) => dtype === "f32" || dtype === "bf16";
const toDevice = ({ values, shape, dtype }: Operand) => device.tensor(values, shape, dtype, "operand");
const toFloat64 = ({ values, shape }: Operand) => array64(shape, Array.from(values));

/** A copy with one or two elements replaced. */
function planted(operand: Operand, value: number): Operand {
  const values = Float32Array.from(operand.values);
  for (let n = integer(1, 2); n > 0; n--) values[integer(0, values.length - 1)] = value;
  return { ...operand, values };
}

/** Operands with NaN, ∞ and −∞ planted in one of them at a time, and in two at once. */
function* plantings(operands: readonly (Operand | null)[]): Generator<(Operand | null)[]> {
  const places = operands.flatMap((operand, i) => (operand && isFloat(operand) ? [i] : []));
  for (const value of [Number.NaN, Infinity, -Infinity])
    for (const i of places) {
      const one = operands.with(i, planted(operands[i]!, value));
      yield one;
      const other = places[integer(0, places.length - 1)]!;
      yield one.with(other, planted(one[other]!, value));
    }
}

/** The numbers as they are, or with every infinity as NaN. */
type Seen = (values: ArrayLike<number>) => ArrayLike<number>;
const exactly: Seen = (values) => values;
const onlyWhetherFinite: Seen = (values) =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : Number.NaN));

async function expectSame(actual: unknown, expected: Result, seen: Seen, label: string): Promise<void> {
  if ("data" in expected && expected.data instanceof Float64Array)
    return expectClose(seen(await (actual as F32).read()), seen(expected.data), { label, atol: 3e-5 });
  for (const [name, part] of Object.entries(expected))
    if (part) await expectSame((actual as Record<string, unknown>)[name], part, seen, `${label}, ${name}`);
}

async function check(
  run: Call,
  reference: Call,
  operands: readonly (Operand | null)[],
  { options, seen = exactly }: { readonly options?: object | undefined; readonly seen?: Seen } = {},
) {
  for (const given of plantings(operands)) {
    const call = { op: "add", operands: given, options: options as never } as const;
    const told = given.flatMap((operand, i) =>
      Array.from(operand?.values ?? []).flatMap((value, at) =>
        Number.isFinite(value) ? [] : [`${value} at ${i}[${at}]`],
      ),
    );
    await expectSame(
      run(...callOf(call, toDevice)),
      reference(...callOf(call, toFloat64)) as Result,
      seen,
      told.join(", "),
    );
  }
}

describe("operations", () => {
  // Names of the cases repeat; the index tells them apart.
  test.each(cases.map((call, i) => [call.op, i, call] as const))("%s, case %i", async (op, _, call) => {
    await check(exported.ops[op] as Call, float64Ops[op] as Call, call.operands, { options: call.options });
  });
});

describe("gradients", () => {
  const gradients = exported.ops as unknown as Record<keyof typeof float64Backward, Call>;
  const kinds: UnaryKind[] = ["neg", "exp", "log", "sqrt", "square", "abs", "sigmoid", "logSigmoid", "silu", "relu"];
  const labels: Operand = { shape: [2, 3], values: [4, -100, 0, 6, 2, -100], dtype: "i32" };
  const eps = 1e-5;
  const calls: [keyof typeof float64Backward, (Operand | null)[], object?][] = [
    ["rmsNormBackward", [floats(3, 7), floats(7), floats(3, 7)], { eps }],
    ["layerNormBackward", [floats(3, 7), floats(7), floats(7), floats(3, 7)], { eps }],
    ["layerNormBackward", [floats(3, 7), null, null, floats(3, 7)], { eps }],
    ["rmsNormBackward", [floats(3, 8), floats(8), floats(3, 8)], { eps }],
    ["swigluBackward", [floats(3, 5), floats(3, 5), floats(3, 5)]],
    ...[...kinds, "gelu" as const, "tanh" as const].map((kind): (typeof calls)[number] => [
      "unaryBackward",
      [floats(3, 5), floats(3, 5)],
      { kind },
    ]),
    ["clampBackward", [floats(3, 5), floats(3, 5)], { min: -0.5, max: 0.8 }],
    ["softmaxBackward", [floats(3, 7), floats(3, 7)]],
    ["logSoftmaxBackward", [floats(3, 7), floats(3, 7)]],
    ["softmaxBackward", [floats(3, 8), floats(3, 8)]],
    ["logSoftmaxBackward", [floats(3, 8), floats(3, 8)]],
    ...reductions.flatMap((reduction): typeof calls => {
      const gradient = { none: floats(2, 3), sequence: floats(2), mean: floats() }[reduction];
      return [
        ["crossEntropyBackward", [floats(2, 3, 7), labels, gradient], { reduction }],
        ["klDivergenceBackward", [floats(2, 3, 7), floats(2, 3, 7), labels, gradient], { reduction }],
        ["crossEntropyBackward", [floats(2, 3, 8), labels, gradient], { reduction }],
        ["klDivergenceBackward", [floats(2, 3, 8), floats(2, 3, 8), labels, gradient], { reduction }],
      ];
    }),
    ["mseBackward", [floats(3, 7), floats(3, 7), floats(3)], { reduction: "rows" }],
    ["mseBackward", [floats(3, 7), floats(3, 7), floats()], { reduction: "mean" }],
  ];
  test.each(calls.map((call, i) => [call[0], i, call] as const))("%s, case %i", async (name, _, call) => {
    await check(gradients[name], float64Backward[name] as Call, call[1], { options: call[2] });
  });

  test("maxBackward, from the maximum that max gives", async () => {
    const run = (x: F32, gradient: F32) => exported.maxBackward(x, exported.max(x, { axis: 1 }), gradient, { axis: 1 });
    const reference = (x: Array64, gradient: Array64) =>
      float64Backward.maxBackward(x, (float64Ops.max as Call)(x, { axis: 1 }) as Array64, gradient);
    await check(run as Call, reference as Call, [floats(3, 7), floats(3)]);
    await check(run as Call, reference as Call, [floats(3, 8), floats(3)]);
  });
});

// Mixed precision rounds its inputs: mixed.test.ts has its own check.
const exactKernels = matmulKernels.filter((kernel) => kernel !== "mixed");
test.each(exactKernels.filter((kernel) => kernel !== "subgroup" || device.capabilities.subgroups))(
  "matmul by the kernel %s",
  async (kernel) => {
    for (const [m, k, n] of [
      [3, 6, 5],
      [19, 35, 70],
    ] as const)
      await check((a, b) => exported.matmulWith(kernel, a as F32, b as F32), float64Ops.matmul as Call, [
        floats(m, k),
        floats(k, n),
      ]);
  },
);

// One to four queries take other kernels than more; a tile has queries before and after a planted key; a long cache is cut into stretches.
describe.each([undefined, ...attentionFamilies])("attention, kernels forced: %s", (forced) => {
  test.each([
    ["one query", 1, 9],
    ["four queries", 4, 11],
    ["a prompt", 11, 11],
    ["prompt in more than a tile", 37, 41],
    ["one query on keys enough to share", 1, 531],
  ])("%s", async (_, queries, length) => {
    const operands = [floats(1, queries, 2, 8), floats(1, length, 1, 8), floats(1, length, 1, 8)];
    const forward = (q: F32, k: F32, v: F32) => exported.attentionForward(q, k, v, {}, forced);
    await check(((q: F32, k: F32, v: F32) => forward(q, k, v).output) as Call, float64Ops.attention as Call, operands);
    if (queries > 11 || length > 100) return;
    const backward = (q: F32, k: F32, v: F32, gradient: F32) => {
      const { output, logSumExp } = forward(q, k, v);
      return exported.attentionBackward(q, k, v, output, logSumExp, gradient, {}, forced);
    };
    // Where infinities meet, the arrangement of the formula decides between NaN and ∞.
    const [reference, given] = [float64Backward.attentionBackward as Call, [...operands, floats(1, queries, 2, 8)]];
    await check(backward as Call, reference, given, { seen: onlyWhetherFinite });
  });
});

// Software adapters give rows of more than 8192 elements several lanes, and a reduction over more than 4096 two passes.
test.each<[string, (ops: Record<string, Call>) => Call, Operand[]]>([
  ["softmax", ({ softmax }) => softmax!, [floats(2, 8195)]],
  ["logSoftmax", ({ logSoftmax }) => logSoftmax!, [floats(2, 8195)]],
  [
    "rmsNorm",
    ({ rmsNorm }) =>
      (x, weight) =>
        rmsNorm!(x, weight, { eps: 1e-5 }),
    [floats(2, 8195), floats(8195)],
  ],
  [
    "layerNorm",
    ({ layerNorm }) =>
      (x) =>
        layerNorm!(x, null, null, { eps: 1e-5 }),
    [floats(2, 8195)],
  ],
  [
    "max of rows",
    ({ max }) =>
      (x) =>
        max!(x, { axis: 1 }),
    [floats(2, 8195)],
  ],
  [
    "max of all",
    ({ max }) =>
      (x) =>
        max!(x),
    [floats(9000)],
  ],
  [
    "max of columns",
    ({ max }) =>
      (x) =>
        max!(x, { axis: 0 }),
    [floats(300, 3)],
  ],
  [
    "sum of all",
    ({ sum }) =>
      (x) =>
        sum!(x),
    [floats(9000)],
  ],
])("%s over many elements", async (_, callWith, operands) => {
  await check(callWith(exported.ops as never), callWith(float64Ops as never), operands);
});

describe("what gradients are put together with", () => {
  const { add, affine, concat, mul, reshape, sum } = float64Ops as unknown as Record<string, Call>;
  const zeros = (...shape: number[]) => array64(shape, new Array(sizeOf(shape)).fill(0));
  test.each<[string, Call, Call, Operand[]]>([
    [
      "expand",
      (x) => exported.expand(x as F32, [3, 5], { axis: 1 }),
      (x) => mul!(array64([3, 5], new Array(15).fill(1)), reshape!(x, { shape: [3, 1] })),
      [floats(3)],
    ],
    ["sumTo", (x) => exported.sumTo(x as F32, [5]), (x) => sum!(x, { axis: 0 }), [floats(3, 5)]],
    [
      "sliceBackward",
      (x) => exported.sliceBackward(x as F32, { axis: 1, start: 1, size: 5 }),
      (x) => concat!(concat!(zeros(3, 1), x, { axis: 1 }), zeros(3, 2), { axis: 1 }),
      [floats(3, 2)],
    ],
    [
      "addInto",
      (target, x) => {
        exported.addInto(target as F32, x as F32, { factor: 3 });
        return target;
      },
      (target, x) => add!(target, affine!(x, { factor: 3 })),
      [floats(7), floats(7)],
    ],
  ])("%s", async (_, run, reference, operands) => check(run, reference, operands));
});

test("what lies outside a function's domain", async () => {
  const x = device.tensor([0, -0, -1, -1e30, 4], [5]);
  expect([...(await exported.unary(x, { kind: "log" }).read())].slice(0, 4)).toEqual([-Infinity, -Infinity, NaN, NaN]);
  expect([...(await exported.unary(x, { kind: "sqrt" }).read())].map(Math.abs)).toEqual([0, 0, NaN, NaN, 2]);
});

test("a gradient that is NaN is not clipped to a number", async () => {
  using norms = new exported.GlobalNorm(device);
  const tensors = [[1, 2, 3, 4, 5], [6, Number.NaN], [7]].map((values) => device.tensor(values, [values.length]));
  const { squares, total, norm, clip } = norms.of(
    tensors.map((tensor) => ({ tensor })),
    1,
  );
  expect([...(await squares.read())]).toEqual([55, Number.NaN, 49]);
  for (const scalar of [total, norm, clip]) expect(await scalar.item()).toBeNaN();
});

test("scores too low for the running maximum are still compared with each other", async () => {
  const q = device.tensor([1e16, 0, 0, 0], [1, 1, 1, 4]);
  const k = device.tensor([-1e16, 0, 0, 0, -2e16, 0, 0, 0], [1, 2, 1, 4]);
  const v = device.tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 1, 4]);
  for (const forced of [undefined, ...attentionFamilies])
    expect([...(await exported.attentionForward(q, k, v, {}, forced).output.read())]).toEqual([1, 2, 3, 4]);
});

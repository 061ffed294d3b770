import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import type { Kind } from "../../src/arguments.ts";
import { dtypes } from "../../src/dtype.ts";
import { ArgumentError } from "../../src/errors.ts";
import { signatureOf } from "../../src/ops/checked.ts";
import * as exported from "../../src/ops/index.ts";

const device = await testDevice();
const tensors = dtypes.map((dtype) => device.lasting([2, 2], dtype, dtype));

/** Functions that make an `Ops` from another; the operations of the result check their own arguments. */
const overOps = ["wrapOps", "countCalls", "bf16Linears"];
type Operation = (...given: unknown[]) => unknown;
const operations = Object.entries(exported).filter(
  ([name, value]) => typeof value === "function" && !overOps.includes(name),
) as [string, Operation][];

/** Values of every kind. An argument accepts few of them. */
const values: unknown[] = [
  ...[undefined, null, true, 0, 1, 3, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 1n, "", "sinh", Symbol("s")],
  ...[[], [1], [2, 2], [2, -1], [0.5], [undefined], ["a"], [[1]], new Float32Array(2), {}, { nope: 1 }, new Map()],
  ...[() => 1, ...tensors, device],
];

/** A value that an argument accepts; for options, an object of all of them. */
function valid({ fields, choices = [], accepts }: Kind): unknown {
  if (!fields) return [...values, ...choices].find((value) => accepts(value));
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valid(field)]));
}

/** Wrong values for one argument, with the name that the error must contain. */
function faults(name: string, kind: Kind): { value: unknown; named: string }[] {
  const wrong = values.filter((value) => !kind.accepts(value) && !(value === undefined && kind.optional));
  const given = wrong.map((value) => ({ value, named: name }));
  if (!kind.fields) return given;
  const options = valid(kind) as Record<string, unknown>;
  const inside = Object.entries(kind.fields).flatMap(([field, fieldKind]) =>
    faults(`${name}.${field}`, fieldKind).map(({ value, named }) => ({ value: { ...options, [field]: value }, named })),
  );
  return [...given, { value: { ...options, nope: 1 }, named: `${name}.nope` }, ...inside];
}

test.each(operations)("%s has a signature", (_, operation) => {
  expect(signatureOf(operation)).toBeDefined();
});

test("the operations of `ops` are those that are exported", () => {
  for (const [name, value] of Object.entries(exported.ops))
    if (typeof value === "function") expect(signatureOf(value), name).toBeDefined();
});

describe.each(operations)("%s", (name, operation) => {
  const signature = Object.entries(signatureOf(operation) ?? {});
  const right = signature.map(([, kind]) => valid(kind));

  function expectRefused(given: unknown[], start: string): void {
    let error: unknown;
    try {
      operation(...given);
    } catch (thrown) {
      error = thrown;
    }
    expect(error, `${start}: ${String(given.map(String))}`).toBeInstanceOf(ArgumentError);
    expect((error as Error).message.startsWith(start), `${(error as Error).message}, expected ${start} …`).toBe(true);
    expect((error as Error).message).toContain("; expected ");
  }

  test("refuses every wrong argument before anything reaches the device", async () => {
    const before = { dispatches: device.dispatches, memory: device.memory() };
    for (const [i, [argument, kind]] of signature.entries())
      for (const { value, named } of faults(argument, kind))
        expectRefused(right.with(i, value), `${name}: ${named} is `);
    expectRefused([...right, 1], `${name}: argument ${right.length + 1} is 1`);
    expect({ dispatches: device.dispatches, memory: device.memory() }).toEqual(before);
    expect(await exported.full(device, [1], 7).item()).toBe(7);
  });
});

test("messages name the operation, the argument, the value that came and what is expected", () => {
  const { add, linear, softmax, sum, topK, unary } = exported as unknown as Record<string, Operation>;
  const [f32, , bf16, , u32] = tensors;
  const cases: [() => unknown, string][] = [
    [() => unary!(f32, { kind: "sinh" }), 'unary: options.kind is "sinh"; expected one of neg, exp, log, '],
    [() => unary!(f32), "unary: options is missing; expected an object of kind"],
    [() => unary!(f32, "relu"), 'unary: options is "relu"; expected an object of kind'],
    [() => sum!(f32, { dim: 1 }), "sum: options.dim is not an option; expected an object of axis, keepDims"],
    [() => sum!(f32, 1), "sum: options is 1; expected an object of axis, keepDims"],
    [() => add!(f32, 1), "add: b is 1; expected an f32 tensor"],
    [() => add!(f32, [1, 2]), "add: b is [1, 2]; expected an f32 tensor"],
    [() => softmax!(bf16), "softmax: x is a bf16 tensor [2, 2]; expected an f32 tensor"],
    [() => linear!(f32, u32), "linear: weight is a u32 tensor [2, 2]; expected an f32, f16 or bf16 tensor"],
    [() => linear!(f32, null), "linear: weight is null; expected an f32, f16 or bf16 tensor"],
    [() => softmax!(f32, { axis: 0 }), "softmax: argument 2 is an Object; expected no more than 1 (x)"],
    [() => topK!(f32, 1.5), "topK: k is 1.5; expected a whole number of at least 1"],
  ];
  for (const [call, message] of cases) expect(call).toThrow(message);
});

describe("a device's own functions", () => {
  // Without types, as a caller from JavaScript.
  const untyped = device as unknown as Record<string, Operation>;

  test.each([
    ["empty", [undefined], "empty: shape is missing; expected a shape"],
    ["empty", [3], "empty: shape is 3"],
    ["empty", [[2, -1]], "empty: shape is [2, -1]"],
    ["empty", [[2], "f64"], 'empty: dtype is "f64"; expected one of f32, f16, bf16, i32, u32'],
    ["empty", [[2], "f32", 3], "empty: label is 3; expected a string"],
    ["lasting", [[2]], "lasting: dtype is missing"],
    ["tensor", [[1, 2]], "tensor: shape is missing; expected a shape"],
    ["tensor", [5, []], "tensor: values is 5; expected an array of numbers"],
    ["tensor", ["12", [2]], 'tensor: values is "12"'],
    ["tensor", [[1, "2"], [2]], 'tensor: values[1] is "2"; expected a number that f32 holds'],
    ["tensor", [[1, undefined], [2]], "tensor: values[1] is missing"],
    ["tensor", [[1.5], [1], "u32"], "tensor: values[0] is 1.5; expected a number that u32 holds"],
    ["tensor", [[-1], [1], "u32"], "tensor: values[0] is -1; expected a number that u32 holds"],
    ["tensor", [[2 ** 31], [1], "i32"], "tensor: values[0] is 2147483648; expected a number that i32 holds"],
    [
      "tensor",
      [
        [
          [1, 2],
          [3, 4],
        ],
        [4],
      ],
      "tensor: values are nested arrays of [2, 2]; expected numbers, or arrays of [4]",
    ],
    [
      "tensor",
      [
        [[1, 2], [3]],
        [2, 2],
      ],
      "tensor: values are nested arrays of [2, 2]; expected",
    ],
    ["tensor", [[1, [2]], [2]], "tensor: values are nested arrays of [2]; expected"],
    [
      "tensor",
      [
        [
          [1, 2],
          [3, "4"],
        ],
        [2, 2],
      ],
      'tensor: values[3] is "4"',
    ],
  ])("%s(%j)", (method, given, message) => {
    const before = { dispatches: device.dispatches, memory: device.memory() };
    expect(() => untyped[method]!(...given)).toThrow(message);
    expect(() => untyped[method]!(...given)).toThrow(ArgumentError);
    expect({ dispatches: device.dispatches, memory: device.memory() }).toEqual(before);
  });

  test("reshape", () => {
    const view = device.tensor([1, 2], [2]) as unknown as { reshape: Operation };
    expect(() => view.reshape(2)).toThrow("reshape: shape is 2; expected a shape");
  });

  test("nested arrays of the shape that is given", async () => {
    const nested = device.tensor([[[1, 2]], [[3, 4]], [[5, 6]]], [3, 1, 2]);
    expect([...(await nested.read())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await device.tensor([[7]], [1, 1], "u32").item()).toBe(7);
  });
});

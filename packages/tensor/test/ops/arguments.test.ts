import { expectRefusals, functionsIn, type Operation, valuesOn } from "@lethe/testing/arguments";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import { ArgumentError } from "../../src/errors.ts";
import { signatureOf } from "../../src/ops/checked.ts";
import * as exported from "../../src/ops/index.ts";
import { Tensor } from "../../src/tensor.ts";

const device = await testDevice();
const values = valuesOn(device);
const tensors = values.filter((value): value is Tensor => value instanceof Tensor);

/** Functions that make an `Ops` from another; the operations of the result check their own arguments. */
const operations = functionsIn(exported, [
  ...["wrapOps", "countCalls", "bf16Linears", "mixedOps", "fusedOf", "offerFused"],
]);

test("the operations of `ops` are those that are exported", () => {
  for (const [name, value] of functionsIn(exported.ops)) expect(signatureOf(value), name).toBeDefined();
});

test.each(operations)("%s refuses every wrong argument before anything reaches the device", async (name, operation) => {
  const { dispatches } = device;
  const { bytesInUse, bytesPooled } = device.memory();
  await expectRefusals(name, operation, values);
  expect(device.dispatches).toBe(dispatches);
  expect(device.memory()).toMatchObject({ bytesInUse, bytesPooled });
  expect(await exported.full(device, [1], 7).item()).toBe(7);
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

test("a function of one argument can be given to an array's map", () => {
  expect([tensors[0]!, tensors[0]!].map(exported.softmax as never)).toHaveLength(2);
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
    const { dispatches } = device;
    const { bytesInUse, bytesPooled } = device.memory();
    expect(() => untyped[method]!(...given)).toThrow(message);
    expect(() => untyped[method]!(...given)).toThrow(ArgumentError);
    expect(device.dispatches).toBe(dispatches);
    expect(device.memory()).toMatchObject({ bytesInUse, bytesPooled });
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

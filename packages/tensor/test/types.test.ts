import { describe, expectTypeOf, test } from "vitest";
import { type Device, type F32, type Ops, ops, type Tensor } from "../src/index.ts";

/** These tests do not run code: `npm run typecheck` checks what compiles and what does not. */
type Typed<S extends readonly number[]> = F32<S>;
declare const device: Device;
declare function some<const S extends readonly number[]>(shape: S): Typed<S>;
const claim = (_: () => void) => {};

describe("matmul", () => {
  test("keeps literals and numbers apart", () => {
    claim(() => {
      expectTypeOf(ops.matmul(some([2, 3]), some([3, 5])).shape).toEqualTypeOf<[2, 5]>();
      expectTypeOf(ops.matmul(some([4, 2, 3]), some([3, 5])).shape).toEqualTypeOf<[4, 2, 5]>();
      const hidden = some([] as unknown as [number, number, 64]);
      const head = some([] as unknown as [64, number]);
      expectTypeOf(ops.matmul(hidden, head).shape).toEqualTypeOf<[number, number, number]>();
      expectTypeOf(ops.matmul(hidden, some([64, 32_000])).shape).toEqualTypeOf<[number, number, 32_000]>();
      expectTypeOf(ops.matmul(some([3, 2]), some([3, 5]), { transposeA: true }).shape).toEqualTypeOf<[2, 5]>();
      expectTypeOf(ops.matmul(some([2, 3]), some([5, 3]), { transposeB: true }).shape).toEqualTypeOf<[2, 5]>();
    });
  });

  test("does not compile when the inner dimensions differ", () => {
    claim(() => {
      // @ts-expect-error: 3 against 4
      ops.matmul(some([2, 3]), some([4, 5]));
      // @ts-expect-error: 3 against 5, with b transposed
      ops.matmul(some([2, 3]), some([3, 5]), { transposeB: true });
      // @ts-expect-error: a weight of width 4 for inputs of width 3
      ops.linear(some([2, 3]), some([7, 4]));
    });
  });

  test("leaves numbers to the run time", () => {
    claim(() => {
      const rows = some([] as unknown as readonly number[]);
      ops.matmul(rows, some([4, 5]));
      ops.matmul(some([2, 3]), some([] as unknown as [number, number]));
      expectTypeOf(ops.linear(some([2, 7, 3]), some([5, 3])).shape).toEqualTypeOf<[2, 7, 5]>();
    });
  });

  test("takes packed weights on the right only", () => {
    claim(() => {
      const weight = device.empty([3, 5], "bf16");
      expectTypeOf(ops.matmul(some([2, 3]), weight)).toEqualTypeOf<Tensor<[2, 5], "f32">>();
      // @ts-expect-error: arithmetic is f32
      ops.matmul(weight, some([5, 2]));
      // @ts-expect-error: arithmetic is f32
      ops.add(weight, weight);
    });
  });
});

describe("broadcasting", () => {
  test("follows NumPy", () => {
    claim(() => {
      expectTypeOf(ops.add(some([2, 3]), some([3])).shape).toEqualTypeOf<[2, 3]>();
      expectTypeOf(ops.mul(some([2, 1]), some([1, 5])).shape).toEqualTypeOf<[2, 5]>();
      expectTypeOf(ops.sub(some([4]), some([])).shape).toEqualTypeOf<[4]>();
      expectTypeOf(ops.div(some([] as unknown as [number, 8]), some([8])).shape).toEqualTypeOf<[number, 8]>();
    });
  });

  test("does not compile where it cannot work", () => {
    claim(() => {
      // @ts-expect-error: 3 against 4
      ops.add(some([2, 3]), some([4]));
      // @ts-expect-error: 2 against 5
      ops.mul(some([2, 3]), some([5, 3]));
    });
  });
});

test("a reduced axis is dropped, or kept with length 1", () => {
  claim(() => {
    const x = some([2, 3, 5]);
    expectTypeOf(ops.sum(x).shape).toEqualTypeOf<[]>();
    expectTypeOf(ops.mean(x, { axis: 1 }).shape).toEqualTypeOf<[2, 5]>();
    expectTypeOf(ops.max(x, { axis: -1 }).shape).toEqualTypeOf<[2, 3]>();
    expectTypeOf(ops.sum(x, { axis: 0, keepDims: true }).shape).toEqualTypeOf<[1, 3, 5]>();
    expectTypeOf(ops.mean(x, { axis: -2, keepDims: true }).shape).toEqualTypeOf<[2, 1, 5]>();
    expectTypeOf(ops.max(x, { keepDims: true }).shape).toEqualTypeOf<readonly [1, 1, 1]>();
    expectTypeOf(ops.sum(some([] as unknown as [number, 8]), { axis: 1 }).shape).toEqualTypeOf<[number]>();
    expectTypeOf(ops.sum(some([] as unknown as readonly number[]), { axis: 1 }).shape).toEqualTypeOf<
      readonly number[]
    >();
    expectTypeOf(ops.sum(x, { axis: 1 as number }).shape).toEqualTypeOf<readonly number[]>();
    // A mean that was kept broadcasts against what it is the mean of.
    expectTypeOf(ops.sub(x, ops.mean(x, { axis: 1, keepDims: true })).shape).toEqualTypeOf<[2, 3, 5]>();
    // @ts-expect-error: no such option
    ops.sum(x, { dim: 1 });
  });
});

test("shapes are kept where nothing changes them", () => {
  claim(() => {
    const x = some([2, 8]);
    expectTypeOf(ops.rmsNorm(x, null, { eps: 1e-5 }).shape).toEqualTypeOf<readonly [2, 8]>();
    expectTypeOf(ops.softmax(ops.unary(x, { kind: "silu" })).shape).toEqualTypeOf<readonly [2, 8]>();
    expectTypeOf(ops.cast(x, { dtype: "bf16" }).dtype).toEqualTypeOf<"bf16">();
    // @ts-expect-error: the shapes differ
    ops.mse(x, some([2, 9]), { reduction: "mean" });
    // @ts-expect-error: no such function
    ops.unary(x, { kind: "sinh" });
    const ids = device.empty([2, 7], "u32");
    expectTypeOf(ops.embedding(some([100, 8]), ids).shape).toEqualTypeOf<[2, 7, 8]>();
    // @ts-expect-error: ids are u32
    ops.embedding(some([100, 8]), x);
  });
});

test("reading gives the array of the dtype", () => {
  claim(() => {
    expectTypeOf(device.empty([2], "u32").read()).resolves.toEqualTypeOf<Uint32Array>();
    expectTypeOf(device.empty([2], "i32").read()).resolves.toEqualTypeOf<Int32Array>();
    expectTypeOf(device.empty([2], "bf16").read()).resolves.toEqualTypeOf<Float32Array>();
    expectTypeOf(device.empty([2, 3])).toEqualTypeOf<Tensor<readonly [2, 3], "f32">>();
  });
});

test("a function written against Ops takes any implementation", () => {
  const mlp = (o: Ops, x: F32<[number, number, 64]>, up: F32<[128, 64]>, down: F32<[64, 128]>) =>
    o.linear(o.unary(o.linear(x, up), { kind: "silu" }), down);
  expectTypeOf(mlp).returns.toEqualTypeOf<Tensor<[number, number, 64], "f32">>();
});

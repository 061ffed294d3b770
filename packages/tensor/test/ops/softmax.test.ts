import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { logSoftmaxRows } from "@lethe/testing/reference/losses";
import { describe, expect, test } from "vitest";
import { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from "../../src/ops/softmax.ts";

const device = await testDevice();

const operations = {
  softmax: {
    forward: softmax,
    backward: softmaxBackward,
    f: (v: ArrayLike<number>, width: number) => logSoftmaxRows(v, width).map(Math.exp),
  },
  logSoftmax: { forward: logSoftmax, backward: logSoftmaxBackward, f: logSoftmaxRows },
};

describe.each(Object.entries(operations))("%s", (_, { forward, backward, f }) => {
  test.each([[1], [7], [5, 9], [2, 3, 33], [37, 5], [3, 1001], [5, 12], [3, 1004]])(
    "and its gradient at %j",
    async (...shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const width = shape.at(-1)!;
      const [x, gradient] = [normal(size, 3), normal(size)];
      const y = forward(device.tensor(x, shape));
      expectClose(await y.read(), f(x, width));
      const slope = await backward(y, device.tensor(gradient, shape)).read();
      expect(slope.every(Number.isFinite)).toBe(true);
      if (size > 300) return;
      const [expected] = finiteDifferences((v) => f(v, width), [x], gradient);
      expectClose(slope, expected!);
    },
  );

  test("elements far apart", async () => {
    const x = [1e4, 0, -1e4, -1e38, -1e38, 1e38, -Infinity, 0, 0];
    expectClose(await forward(device.tensor(x, [3, 3])).read(), f(x, 3));
  });

  test("a NaN changes its own row only", async () => {
    const y = await forward(device.tensor([0, Number.NaN, 1, 0, 0, 0], [2, 3])).read();
    expect([...y].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
  });
});

test("a scalar is refused", () => {
  expect(() => softmax(device.tensor([1], []))).toThrow(/softmax: \[\] has no last axis/);
});

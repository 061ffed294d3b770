import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { mse, mseBackward } from "../../src/ops/mse.ts";

const device = await testDevice();

describe.each(["rows", "mean"] as const)("mse over %s", (reduction) => {
  test.each([[7], [3, 5], [2, 3, 17], [5, 1000]])("%j and its gradient", async (...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const width = reduction === "rows" ? shape.at(-1)! : size;
    const f = (a: ArrayLike<number>, b: ArrayLike<number>) => {
      const out = new Float64Array(size / width);
      for (let i = 0; i < size; i++) out[Math.floor(i / width)]! += (a[i]! - b[i]!) ** 2 / width;
      return out;
    };
    const [a, b] = [normal(size), normal(size)];
    const [x, y] = [device.tensor(a, shape), device.tensor(b, shape)];
    const loss = mse(x, y, { reduction });
    expect(loss.shape).toEqual(reduction === "rows" ? shape.slice(0, -1) : []);
    expectClose(await loss.read(), f(a, b));
    const gradient = normal(size / width);
    const back = mseBackward(x, y, device.tensor(gradient, loss.shape), { reduction });
    const expected =
      size > 200
        ? Float64Array.from(a, (v, i) => (2 / width) * (v - b[i]!) * gradient[Math.floor(i / width)]!)
        : finiteDifferences((v) => f(v, b), [a], gradient)[0]!;
    expectClose(await back.read(), expected, { atol: 1e-6 });
  });
});

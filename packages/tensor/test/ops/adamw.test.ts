import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { adamwStep } from "../../src/ops/adamw.ts";
import { zeros } from "../../src/ops/random.ts";

const device = await testDevice();
const options = { learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

/** Loshchilov & Hutter 2019, algorithm 2, in float64. */
function reference(parameter: Float64Array, gradients: Float32Array[], scale = 1) {
  const [m, v] = [new Float64Array(parameter.length), new Float64Array(parameter.length)];
  gradients.forEach((gradient, step) => {
    gradient.forEach((raw, i) => {
      const g = raw * scale;
      m[i] = options.beta1 * m[i]! + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i]! + (1 - options.beta2) * g * g;
      const first = m[i]! / (1 - options.beta1 ** (step + 1));
      const second = v[i]! / (1 - options.beta2 ** (step + 1));
      parameter[i]! *= 1 - options.learningRate * options.weightDecay;
      parameter[i]! -= (options.learningRate * first) / (Math.sqrt(second) + options.epsilon);
    });
  });
  return { parameter, m, v };
}

describe("adamwStep", () => {
  test.each([[1], [7], [3, 67]])("five steps at %j, with and without a scale on the device", async (...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const start = normal(size);
    const gradients = Array.from({ length: 5 }, () => normal(size));
    for (const scale of [null, 0.25]) {
      const parameter = device.tensor(start, shape);
      const [m, v] = [zeros(device, shape), zeros(device, shape)];
      const gradientScale = scale === null ? {} : { gradientScale: device.tensor([scale], []) };
      for (const [i, gradient] of gradients.entries()) {
        const step = { ...options, ...gradientScale, step: i + 1 };
        adamwStep(parameter, device.tensor(gradient, shape), m, v, step);
      }
      const expected = reference(Float64Array.from(start), gradients, scale ?? 1);
      expectClose(await parameter.read(), expected.parameter, { label: "parameter" });
      expectClose(await m.read(), expected.m, { label: "first moment" });
      expectClose(await v.read(), expected.v, { label: "second moment", atol: 1e-9 });
    }
  });

  test("one column of a matrix", async () => {
    const [start, gradient] = [normal(15), normal(15)];
    const parameter = device.tensor(start, [3, 5]);
    const [m, v] = [zeros(device, [3, 5]), zeros(device, [3, 5])];
    adamwStep(parameter, device.tensor(gradient, [3, 5]), m, v, {
      ...options,
      step: 1,
      column: { index: 2, width: 5 },
    });
    const all = reference(Float64Array.from(start), [gradient]).parameter;
    const actual = await parameter.read();
    actual.forEach((value, i) => {
      if (i % 5 === 2) expectClose([value], [all[i]!]);
      else expect(value).toBe(start[i]);
    });
  });

  test("wrong arguments are refused", () => {
    const half = device.tensor([1, 2], [2], "bf16");
    const x = device.tensor([1, 2], [2]);
    const [m, v] = [zeros(device, [2]), zeros(device, [2])];
    expect(() => adamwStep(half as never, x, m, v, { ...options, step: 1 })).toThrow(
      /parameter is a bf16 tensor \[2\]; .* too coarse/,
    );
    const column = { index: 3, width: 3 };
    expect(() => adamwStep(x, x, m, v, { ...options, step: 1, column })).toThrow(/column 3 of rows of 3/);
  });
});

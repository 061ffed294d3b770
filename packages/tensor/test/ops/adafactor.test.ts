import { readFileSync } from "node:fs";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { openDevice } from "../../src/gpu/open.ts";
import { adafactorShapes, adafactorStep } from "../../src/ops/adafactor.ts";
import type { F32 } from "../../src/ops/ops.ts";
import { zeros } from "../../src/ops/random.ts";
import type { Shape } from "../../src/shape.ts";
import type { Device } from "../../src/tensor.ts";

const golden = JSON.parse(readFileSync(new URL("golden/adafactor.json", import.meta.url), "utf8")) as {
  settings: { learningRate: number; weightDecay: number };
  shapes: Record<string, number[]>;
  initial: Record<string, number[]>;
  gradients: Record<string, number[]>[];
  final: Record<string, number[]>;
  moments: Record<string, number[][]>;
};

const device = await testDevice();
const options = { learningRate: 0.02, weightDecay: 0.1 };
const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Shazeer & Stern 2018, algorithms 4 and 5, in float64. */
function reference(shape: readonly number[], start: ArrayLike<number>, gradients: readonly Float32Array[], scale = 1) {
  const parameter = Float64Array.from(start);
  const moments = adafactorShapes(shape).map(([size = 1]) => new Float64Array(size));
  const [rows, columns] = moments as [Float64Array, Float64Array | undefined];
  const width = shape.at(-1) ?? 1;
  for (const [i, raw] of gradients.entries()) {
    const beta = 1 - (i + 1) ** -0.8;
    const g = Float64Array.from(raw, (value) => value * scale);
    const squares = g.map((value) => value * value + 1e-30);
    const renew = (moment: Float64Array, square: (at: number) => number) =>
      moment.forEach((value, at) => {
        moment[at] = beta * value + (1 - beta) * square(at);
      });
    let u: Float64Array;
    if (columns) {
      renew(rows, (r) => meanOf(squares.slice(r * width, (r + 1) * width)));
      renew(columns, (c) => meanOf(squares.filter((_, at) => at % width === c)));
      const mean = meanOf(rows);
      u = g.map((value, at) => value / Math.sqrt((rows[Math.floor(at / width)]! * columns[at % width]!) / mean));
    } else {
      renew(rows, (at) => squares[at]!);
      u = g.map((value, at) => value / Math.sqrt(rows[at]!));
    }
    const clip = Math.max(1, Math.sqrt(meanOf(u.map((value) => value * value))));
    const { learningRate, weightDecay } = options;
    for (const [at, value] of parameter.entries())
      parameter[at] = value * (1 - learningRate * weightDecay) - (learningRate * u[at]!) / clip;
  }
  return { parameter, moments };
}

/** The state after steps with these gradients. */
async function run(at: Device, shape: Shape, start: ArrayLike<number>, gradients: readonly Float32Array[], extra = {}) {
  using _ = at.scope("run");
  const parameter = at.tensor(start, shape) as F32;
  const moments = adafactorShapes(shape).map((of) => zeros(at, of));
  for (const [i, gradient] of gradients.entries())
    adafactorStep(parameter, at.tensor(gradient, shape), moments, { ...options, ...extra, step: i + 1 });
  return await Promise.all([parameter, ...moments].map((tensor) => tensor.read()));
}

// A matrix of 4300 rows has bands of more than 32 of them, and rows of 300 and 77 have more than one slab, of vectors and of elements.
const shapes = [[], [1], [7], [1000], [1, 1], [1, 5], [5, 1], [3, 8], [33, 300], [70, 77], [4300, 3], [40, 256]];

describe("adafactorStep", () => {
  test.each(shapes.map((shape) => [shape]))(
    "four steps at %j, with and without a scale on the device",
    async (shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const start = normal(size);
      const sizes = [1, 0.01, 30, 1];
      const gradients = sizes.map((factor) => normal(size, factor));
      for (const scale of [null, 0.25]) {
        const gradientScale = scale === null ? {} : { gradientScale: device.tensor([scale], []) };
        const [parameter, ...moments] = await run(device, shape, start, gradients, gradientScale);
        const expected = reference(shape, start, gradients, scale ?? 1);
        expectClose(parameter!, expected.parameter, { label: "parameter" });
        for (const [i, moment] of moments.entries())
          expectClose(moment, expected.moments[i]!, { label: `moments ${i}`, atol: 0 });
      }
    },
  );

  test("on given gradients it does what transformers' Adafactor does", async () => {
    for (const [name, shape] of Object.entries(golden.shapes)) {
      const gradients = golden.gradients.map((step) => Float32Array.from(step[name]!));
      const [parameter, ...moments] = await run(device, shape, golden.initial[name]!, gradients, golden.settings);
      expectClose(parameter!, golden.final[name]!, { label: name, rtol: 1e-5, atol: 1e-6 });
      for (const [i, moment] of moments.entries())
        expectClose(moment, golden.moments[name]![i]!, { label: `moments of ${name}`, rtol: 1e-5, atol: 0 });
    }
  });

  test("rows, columns and matrices whose gradient is 0 stay, however large the others are", async () => {
    const shape = [40, 12];
    const gradient = normal(480, 1e12).map((value, i) => (i < 12 || i % 12 === 5 ? 0 : value));
    const start = normal(480);
    const [parameter] = await run(device, shape, start, [gradient], { weightDecay: 0 });
    const expected = reference(shape, start, [gradient]);
    const decayed = 1 - options.learningRate * options.weightDecay;
    expectClose(
      parameter!,
      expected.parameter.map((value, i) => value + start[i]! * (1 - decayed)),
      { atol: 1e-6 },
    );
    for (const still of [[40, 12], [12]]) {
      const size = still.reduce((a, b) => a * b);
      const [kept] = await run(device, still, start.slice(0, size), [new Float32Array(size)], { weightDecay: 0 });
      expect(kept).toEqual(start.slice(0, size));
    }
  });

  test("tiny gradients, whose squares f32 does not hold, give finite steps", async () => {
    for (const shape of [[40, 12], [480]]) {
      const [parameter] = await run(device, shape, normal(480), [normal(480, 1e-25), normal(480, 1e-13)]);
      expect(parameter!.every(Number.isFinite)).toBe(true);
    }
  });

  test("a NaN in the gradient makes the parameter NaN, because all of it is clipped by one length", async () => {
    for (const shape of [[6, 8], [48]]) {
      const gradient = normal(48);
      gradient[integer(0, 47)] = Number.NaN;
      const [parameter] = await run(device, shape, normal(48), [gradient]);
      expect(parameter!.every(Number.isNaN)).toBe(true);
    }
  });

  test("a matrix larger than one binding is updated in parts, with the same bits, and with a GPU's lanes by the same formula", async () => {
    const shape = [300, 128];
    const [start, gradients] = [normal(38_400), [normal(38_400), normal(38_400)]];
    const expected = reference(shape, start, gradients);
    const found = [];
    for (const changed of [{}, { maxBindingBytes: 70_000 }, { software: false }]) {
      const one = await openDevice({ poison: true });
      Object.assign(one, { capabilities: { ...one.capabilities, ...changed } });
      found.push({ state: await run(one, shape, start, gradients), dispatches: one.dispatches });
      one.destroy();
    }
    expect(found[1]!.dispatches).toBeGreaterThan(found[0]!.dispatches);
    expect(found[1]!.state).toEqual(found[0]!.state);
    expectClose(found[2]!.state[0]!, expected.parameter);
  });

  test("wrong arguments are refused", () => {
    const [x, y, row] = [zeros(device, [2, 3]), zeros(device, [3, 2]), zeros(device, [2])];
    const step = { ...options, step: 1 };
    expect(() => adafactorStep(x, y as never, [row, row], step)).toThrow(/gradient has shape \[3, 2\]/);
    expect(() => adafactorStep(x, x, [x], step)).toThrow(/\[2, 3\] has 2 tensors of second moments, and 1 were given/);
    expect(() => adafactorStep(x, x, [row, row], step)).toThrow(
      /secondMoments\[1\] has shape \[2\] and must have \[3\]/,
    );
    expect(() => adafactorShapes([2, 3, 4])).toThrow(/a parameter \[2, 3, 4\] has 3 axes; reshape it to a matrix/);
    expect(adafactorShapes([7, 5])).toEqual([[7], [5]]);
    expect(adafactorShapes([7])).toEqual([[7]]);
  });
});

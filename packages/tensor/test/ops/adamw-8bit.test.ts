import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal, random } from "@lethe/testing/random";
import { dynamicMap, nearest } from "@lethe/testing/reference/dynamic-map";
import { describe, expect, test } from "vitest";
import { openDevice } from "../../src/gpu/open.ts";
import { adamwStep } from "../../src/ops/adamw.ts";
import { adamw8bitStep, type Moment8bit, zeroMoment8bit } from "../../src/ops/adamw-8bit.ts";
import { randomNormal, zeros } from "../../src/ops/random.ts";
import { together } from "../../src/together.ts";

const device = await testDevice();
const options = { learningRate: 0.02, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };
const [signed, unsigned] = [dynamicMap(true), dynamicMap(false)];

interface Moment {
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
}

/** A moment with these codes, and words that end in other bytes than 0 where there are fewer codes. */
function onDevice({ codes, scales }: Moment, at = device): Moment8bit {
  const bytes = new Uint8Array(Math.ceil(codes.length / 4) * 4).fill(77);
  bytes.set(codes);
  const words = new Uint32Array(bytes.buffer);
  return {
    codes: at.tensor(words, [words.length], "u32"),
    scales: at.tensor(scales, [scales.length]),
  };
}

async function fromDevice({ codes, scales }: Moment8bit, size: number): Promise<Moment> {
  const words = await codes.read();
  return { codes: new Uint8Array(words.buffer, 0, size), scales: await scales.read() };
}

/** Two moments of zero, which the test's scope releases. */
function zeroMoments(size: number): [Moment8bit, Moment8bit] {
  const made = [zeroMoment8bit(device, size, "m"), zeroMoment8bit(device, size, "v")] as const;
  for (const { codes, scales } of made) for (const tensor of [codes, scales]) device.own(tensor);
  return [...made];
}

const randomMoment = (size: number): Moment => ({
  codes: Uint8Array.from({ length: size }, () => integer(0, 255)),
  scales: Float32Array.from({ length: Math.ceil(size / 256) }, () => 10 ** (6 * random() - 5)),
});

const valuesOf = ({ codes, scales }: Moment, map: Float64Array) =>
  Float64Array.from(codes, (code, i) => scales[i >> 8]! * map[code]!);

/** Dettmers et al. 2022 in float64: what one step makes of the parameter and of the moments before they are rounded. */
function reference(start: ArrayLike<number>, gradient: ArrayLike<number>, first: Moment, second: Moment, step: number) {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const [m, v] = [valuesOf(first, signed), valuesOf(second, unsigned)];
  // How much the terms of a sum may cancel.
  const terms = m.map((value, i) => beta1 * Math.abs(value) + (1 - beta1) * Math.abs(gradient[i]!));
  const parameter = Float64Array.from(start, (value, i) => {
    m[i] = beta1 * m[i]! + (1 - beta1) * gradient[i]!;
    v[i] = beta2 * v[i]! + (1 - beta2) * gradient[i]! ** 2;
    const [corrected1, corrected2] = [m[i]! / (1 - beta1 ** step), v[i]! / (1 - beta2 ** step)];
    return value * (1 - learningRate * weightDecay) - (learningRate * corrected1) / (Math.sqrt(corrected2) + epsilon);
  });
  return { parameter, m, v, terms };
}

/**
 * Codes are those of the nearest entries, but for second moments above 0, which do not become 0. Another is taken only where the value lies within a
 * few roundings of the middle of two.
 */
function expectQuantised(found: Moment, values: Float64Array, terms: Float64Array, map: Float64Array, label: string) {
  const scales = Array.from(found.scales, (_, block) =>
    values.slice(256 * block, 256 * block + 256).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  );
  expectClose(found.scales, scales, { label: `scales of ${label}`, atol: 0, rtol: 1e-6 });
  found.codes.forEach((code, i) => {
    const scale = scales[i >> 8]!;
    const x = values[i]! / scale;
    const { code: expected, margin } = nearest(map, x);
    if (code === expected || (map === unsigned && code === 1 && expected === 0 && x > 0)) return;
    const place = `${label}, code ${i}, of ${x}`;
    expect(Math.abs(code - expected), place).toBe(1);
    expect(margin, place).toBeLessThan(2e-6 * (terms[i]! / scale));
  });
}

const sizes = [[1], [7], [255], [257], [3, 341], [20, 256], [31, 129]];

describe("adamw8bitStep", () => {
  test("the maps have 256 entries, with 0 and 1", () => {
    for (const map of [signed, unsigned]) {
      expect(new Set(map).size).toBe(256);
      expect([map.includes(0), map.at(-1)]).toEqual([true, 1]);
    }
    expect([signed[0], signed[127], unsigned[0], unsigned[1]]).toEqual([
      -(1 - 0.45 / 64),
      0,
      0,
      expect.closeTo(3.25e-7, 12),
    ]);
  });

  test.each(sizes)("one step from any codes at %j is float64's", async (...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    for (const scale of [null, 0.25]) {
      const [start, gradient] = [normal(size), normal(size, 10 ** (4 * random() - 3))];
      const [first, second] = [randomMoment(size), randomMoment(size)];
      const parameter = device.tensor(start, shape);
      const [m, v] = [onDevice(first), onDevice(second)];
      const step = integer(1, 100);
      adamw8bitStep(parameter, device.tensor(gradient, shape), m, v, {
        ...{ ...options, step },
        ...(scale !== null && { gradientScale: device.tensor([scale], []) }),
      });
      const scaled = gradient.map((value) => value * (scale ?? 1));
      const expected = reference(start, scaled, first, second, step);
      const moments = await Promise.all([fromDevice(m, size), fromDevice(v, size)]);
      expectQuantised(moments[0], expected.m, expected.terms, signed, "first moment");
      expectQuantised(moments[1], expected.v, expected.v, unsigned, "second moment");
      for (const [i, value] of expected.v.entries()) expect(moments[1].codes[i]! > 0, `code ${i}`).toBe(value > 0);
      expectClose(await parameter.read(), expected.parameter, { label: "parameter", rtol: 1e-4, atol: 1e-5 });
    }
  });

  test("each entry of both maps comes back as itself", async () => {
    // With β = 1 a step leaves both moments as they are. The largest entry of a block, 1, keeps its scale.
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const moment: Moment = { codes, scales: Float32Array.of(0.37) };
    const [parameter, gradient] = [zeros(device, [256]), zeros(device, [256])];
    const [m, v] = [onDevice(moment), onDevice(moment)];
    adamw8bitStep(parameter, gradient, m, v, { ...options, beta1: 1 - 2 ** -30, beta2: 1 - 2 ** -30, step: 1 });
    for (const found of await Promise.all([fromDevice(m, 256), fromDevice(v, 256)])) {
      expect([...found.codes]).toEqual([...codes]);
      expectClose(found.scales, [0.37], { atol: 0, rtol: 1e-6 });
    }
  });

  test("from moments of zero, a first step is that of f32 AdamW; a gradient of zeros keeps scales of 0", async () => {
    const [start, gradient] = [normal(1001), normal(1001)];
    gradient.fill(0, 256, 512);
    const [parameter, plain] = [device.tensor(start, [1001]), device.tensor(start, [1001])];
    const [m, v] = zeroMoments(1001);
    const slope = device.tensor(gradient, [1001]);
    adamw8bitStep(parameter, slope, m, v, { ...options, step: 1 });
    adamwStep(plain, slope, zeros(device, [1001]), zeros(device, [1001]), { ...options, step: 1 });
    expectClose(await parameter.read(), await plain.read(), { atol: 1e-7, rtol: 1e-6 });
    expect([(await m.scales.read())[1], (await v.scales.read())[1]]).toEqual([0, 0]);
  });

  // How far the parameters are from those of f32 AdamW, in shares of the way that these went. Seeds are fixed, so that a band is not left by
  // chance. Within a block the gradients of some rows are smaller by up to so many powers of ten: what is small there has few digits.
  test.each([
    ["random gradients", 0, 0, 0.04],
    ["a noisy quadratic", 1, 0, 0.04],
    ["random gradients of three sizes", 0, 2, 0.08],
    ["a noisy quadratic of three sizes", 1, 2, 0.08],
    ["random gradients of five sizes", 0, 4, 0.5],
  ])("fifty steps on %s (pull %d, %d powers of ten) stay within a band of %d", async (_, pull, powers, band) => {
    const shape = [48, 100];
    const size = 4800;
    const target = await randomNormal(device, shape, { seed: 1 }).read();
    const [eight, full] = [zeros(device, shape), zeros(device, shape)];
    const [m8, v8] = zeroMoments(size);
    const [m, v] = [zeros(device, shape), zeros(device, shape)];
    for (let step = 1; step <= 50; step++) {
      using _scope = device.scope("step");
      const noise = await randomNormal(device, shape, { seed: 100 + step, std: 0.3 }).read();
      const slopeAt = (at: Float32Array) =>
        device.tensor(
          noise.map((value, i) => (value + pull * (at[i]! - target[i]!)) * 10 ** -(Math.floor(i / 100) % (powers + 1))),
          shape,
        );
      const given = { ...options, learningRate: 0.01, weightDecay: 0.01, step };
      adamw8bitStep(eight, slopeAt(await eight.read()), m8, v8, given);
      adamwStep(full, slopeAt(await full.read()), m, v, given);
    }
    const [a, b] = await Promise.all([eight.read(), full.read()]);
    const norm = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
    const apart = norm(a.map((value, i) => value - b[i]!)) / norm(b);
    expect(apart).toBeLessThan(band);
  });

  test("a gradient that is not finite makes its element NaN, then its block, and no other", async () => {
    const [parameter, gradient] = [device.tensor(normal(600), [600]), normal(600)];
    const [m, v] = [onDevice(randomMoment(600)), onDevice(randomMoment(600))];
    const finite = device.tensor(gradient, [600]);
    gradient[300] = Number.NaN;
    adamw8bitStep(parameter, device.tensor(gradient, [600]), m, v, { ...options, step: 1 });
    const nans = async () => [...(await parameter.read()).entries()].filter(([, x]) => Number.isNaN(x)).map(([i]) => i);
    expect(await nans()).toEqual([300]);
    expect(Array.from(await m.scales.read(), Number.isNaN)).toEqual([false, true, false]);
    adamw8bitStep(parameter, finite, m, v, { ...options, step: 2 });
    expect(await nans()).toEqual(Array.from({ length: 256 }, (_, i) => 256 + i));
  });

  test("moments beside each other in one buffer are those of buffers of their own", async () => {
    const size = 301;
    const [start, gradient] = [normal(size), normal(size)];
    const [first, second] = [randomMoment(size), randomMoment(size)];
    const part = (shape: number[]) => ({ shape, label: "moment" });
    const codes = together(device, [[part([76]), part([76])]], "u32");
    const scales = together(device, [[part([2]), part([2])]], "f32");
    const apart = [onDevice(first), onDevice(second)] as const;
    for (const i of [0, 1] as const) {
      device.writeBytes(codes[i]!, 0, new Uint8Array((await apart[i].codes.read()).buffer));
      device.writeBytes(scales[i]!, 0, new Uint8Array((await apart[i].scales.read()).buffer));
    }
    const [one, other] = [device.tensor(start, [size]), device.tensor(start, [size])];
    const slope = device.tensor(gradient, [size]);
    adamw8bitStep(one, slope, apart[0], apart[1], { ...options, step: 3 });
    const beside = [0, 1].map((i) => ({ codes: codes[i]!, scales: scales[i]! })) as [Moment8bit, Moment8bit];
    adamw8bitStep(other, slope, ...beside, { ...options, step: 3 });
    expect(await other.read()).toEqual(await one.read());
    for (const i of [0, 1] as const)
      expect(await fromDevice(beside[i], size)).toEqual(await fromDevice(apart[i], size));
    for (const tensor of [...codes, ...scales]) tensor.dispose();
  });

  test("in parts, where a tensor is larger than one binding, and with a GPU's lanes it gives the same bits", async () => {
    const size = 40_001;
    const [start, gradient, first, second] = [normal(size), normal(size), randomMoment(size), randomMoment(size)];
    const results = [];
    for (const changed of [{}, { maxBindingBytes: 70_000 }, { software: false }]) {
      const one = await openDevice({ poison: true });
      Object.assign(one, { capabilities: { ...one.capabilities, ...changed } });
      const parameter = one.tensor(start, [size]);
      const moments = [onDevice(first, one), onDevice(second, one)] as const;
      const { dispatches } = one;
      adamw8bitStep(parameter, one.tensor(gradient, [size]), ...moments, { ...options, step: 5 });
      const [m, v] = [await fromDevice(moments[0], size), await fromDevice(moments[1], size)];
      results.push({ dispatches: one.dispatches - dispatches, state: [await parameter.read(), m, v] });
      one.destroy();
    }
    expect(results[1]!.dispatches).toBeGreaterThan(results[0]!.dispatches);
    for (const { state } of results) expect(state).toEqual(results[0]!.state);
  });

  test("wrong arguments are refused", () => {
    const [x, y] = [zeros(device, [300]), zeros(device, [2, 150])];
    const [m, small] = [onDevice(randomMoment(300)), onDevice(randomMoment(256))];
    expect(() => adamw8bitStep(x, y as never, m, m, { ...options, step: 1 })).toThrow(/gradient has shape \[2, 150\]/);
    expect(() => adamw8bitStep(x, x, m, small, { ...options, step: 1 })).toThrow(
      /secondMoment has 64 words of codes and 1 scales; a parameter \[300\] needs 75 and 2/,
    );
    const column = { index: 0, width: 2 };
    expect(() => adamw8bitStep(x, x, m, m, { ...options, step: 1, column } as never)).toThrow(
      /adamw8bitStep: options.column is not an option/,
    );
    const gradientScale = zeros(device, [2]) as never;
    expect(() => adamw8bitStep(x, x, m, m, { ...options, step: 1, gradientScale })).toThrow(/must be a scalar/);
  });
});

import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { castInto } from "../../src/ops/layout.ts";
import { randomUniform } from "../../src/ops/random.ts";
import { roundInto } from "../../src/ops/round-into.ts";
import { round, widen } from "../../src/packed.ts";
import { together } from "../../src/together.ts";

const device = await testDevice();

/** The bits of values as f32, and back. */
const bitsOf = (values: ArrayLike<number>) => new Uint32Array(Float32Array.from(values).buffer);
const fromBits = (bits: readonly number[]) => new Float32Array(Uint32Array.from(bits).buffer);

async function rounded(values: ArrayLike<number>, seed: number, step = 1): Promise<Float32Array> {
  using _ = device.scope("rounded");
  const out = device.empty([values.length], "bf16");
  roundInto(out, device.tensor(values as Float32Array, [values.length]), { seed, step });
  return await out.read();
}

/** The bf16 next to each value that is nearer to 0, and the next one further from 0. */
const inner = (values: ArrayLike<number>) => fromBits([...bitsOf(values)].map((bits) => bits & 0xffff0000));
const outer = (values: ArrayLike<number>) =>
  fromBits([...bitsOf(values)].map((bits) => (bits & 0xffff0000) + (bits & 0xffff ? 0x10000 : 0)));

/** Philox4x32-10 (Salmon et al. 2011) in whole numbers of any size. */
function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  const word = 0xffffffffn;
  for (let i = 0; i < 10; i++) {
    const [p, q] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(q >> 32n) ^ c1 ^ k0, q & word, (p >> 32n) ^ c3 ^ k1, p & word];
    [k0, k1] = [(k0 + 0x9e3779b9n) & word, (k1 + 0xbb67ae85n) & word];
  }
  return [c0, c1, c2, c3];
}

/** What the kernel's definition gives, bit by bit. */
function reference(values: ArrayLike<number>, seed: number, step: number): Float32Array {
  const halves = Array.from(bitsOf(values), (bits, i) => {
    const [counter, at] = [Math.floor(i / 8), i % 8];
    const words = philox(
      [BigInt(counter), BigInt(step) & 0xffffffffn, BigInt(step) >> 32n, 1n],
      [BigInt(seed) & 0xffffffffn, BigInt(seed) >> 32n],
    );
    const noise = Number((words[at >> 1]! >> BigInt(16 * (at & 1))) & 0xffffn);
    return (bits + noise) >>> 16;
  });
  return widen(Uint16Array.from(halves), "bf16");
}

describe("roundInto", () => {
  test.each([1, 2, 3, 7, 8, 9, 1001])("%i elements are those of the generator's definition", async (n) => {
    const values = normal(n);
    for (const [seed, step] of [
      [0, 0],
      [integer(0, 2 ** 31), integer(1, 1000)],
      [2 ** 40 + 5, 2 ** 33 + 1],
    ] as const)
      expect(await rounded(values, seed, step)).toEqual(reference(values, seed, step));
  });

  test("numbers that bf16 holds stay, as do infinities, zeros and NaN", async () => {
    const values = widen(round(normal(999), "bf16"), "bf16");
    for (const seed of [1, 2]) expect(await rounded(values, seed)).toEqual(values);
    const special = [0, -0, Infinity, -Infinity, Number.NaN, 2 ** -133, -(2 ** -126)];
    expect([...(await rounded(special, 3))]).toEqual(special);
    // Two NaN whose only set bits are among those that are dropped.
    const [quiet, negative] = await rounded(fromBits([0x7f800001, 0xff80ffff]), 4);
    expect([quiet, negative]).toEqual([Number.NaN, Number.NaN]);
  });

  test("beyond the largest finite bf16 it rounds to nearest", async () => {
    const bits = [0x7f7f0000, 0x7f7f0001, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0xff7f7fff, 0xff7f8000];
    const values = fromBits(Array.from({ length: 64 }, () => bits).flat());
    const [largest, below] = [fromBits([0x7f7f0000])[0]!, fromBits([0x7f7effff])[0]!];
    const expected = [largest, largest, largest, Infinity, Infinity, -largest, -Infinity];
    expect([...(await rounded(values, 5))]).toEqual(Array.from({ length: 64 }, () => expected).flat());
    // One below it goes to either neighbour, and never to infinity.
    expect(new Set(await rounded(Array(4000).fill(below), 6)).size).toBeLessThanOrEqual(2);
    expect(Math.max(...(await rounded(Array(4000).fill(below), 6)))).toBe(largest);
  });

  // The seeds are fixed and the result is whole-number arithmetic, so this gives the same counts on every adapter and in every run. The bound is five
  // standard errors of a fair draw.
  test.each([
    ["an eighth", 1 + 2 ** -10, 1 / 8],
    ["three quarters, negative", -(3 + 2 ** -6 * 0.75), 0.75],
    ["across a power of two", 2 - 2 ** -9, 0.75],
    ["nearly a neighbour", 1 + 2 ** -7 - 2 ** -17, 1 - 2 ** -10],
    ["a subnormal", 2 ** -133 * 5.5, 0.5],
  ])("both neighbours occur in proportion to the distance: %s", async (_, value, probability) => {
    const n = 80_001;
    const found = await rounded(Array(n).fill(value), 7, 9);
    const [low, high] = [inner([value])[0]!, outer([value])[0]!];
    const ups = found.filter((x) => x === high).length;
    expect(ups + found.filter((x) => x === low).length).toBe(n);
    const error = Math.sqrt(probability * (1 - probability) * n);
    expect(Math.abs(ups - probability * n)).toBeLessThan(5 * error);
  });

  test("the mean error is 0, where rounding to nearest has one", async () => {
    using _ = device.scope("mean");
    const n = 100_003;
    // Just above the begin of an interval: rounding to nearest always goes down.
    const x = randomUniform(device, [n], { seed: 11, low: 1, high: 1 + 2 ** -9 });
    const values = await x.read();
    const [out, nearest] = [device.empty([n], "bf16"), device.empty([n], "bf16")];
    roundInto(out, x, { seed: 12, step: 1 });
    castInto(nearest, x);
    const bias = (found: Float32Array) => found.reduce((sum, value, i) => sum + (value - values[i]!), 0) / n;
    // The variance of an element is p (1 − p) units², less than 1/4; a unit is 2⁻⁷.
    expect(Math.abs(bias(await out.read()))).toBeLessThan((5 * 2 ** -7 * 0.5) / Math.sqrt(n));
    expect(bias(await nearest.read())).toBeLessThan(-(2 ** -11));
  });

  test("one seed and step give the same bits; another seed, step or place gives others", async () => {
    const values = Array(4000).fill(1 + 2 ** -8);
    const first = await rounded(values, 21, 1);
    expect(await rounded(values, 21, 1)).toEqual(first);
    const alike = (other: Float32Array) => other.filter((value, i) => value === first[i]).length / 4000;
    for (const other of [
      await rounded(values, 22, 1),
      await rounded(values, 21, 2),
      await rounded(values, 21 + 2 ** 32, 1),
    ])
      expect(Math.abs(alike(other) - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 4000));
    // As many pairs of neighbours are alike as independent draws give.
    const pairs = first.slice(1).filter((value, i) => value === first[i]).length / 3999;
    expect(Math.abs(pairs - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 3999));
  });

  test("a view into a larger buffer is written, and what lies beside it is not", async () => {
    const sizes = [5, 131, 1];
    const parts = sizes.map((size, i) => ({ shape: [size], label: `part ${i}` }));
    const targets = together(device, [parts], "bf16");
    const sources = together(device, [parts], "f32");
    const values = sizes.map((size) => normal(size));
    for (const [i, source] of sources.entries()) {
      device.writeBytes(source, 0, new Uint8Array(values[i]!.buffer));
      castInto(targets[i]!, source);
    }
    roundInto(targets[1]!, sources[1]!, { seed: 31, step: 2 });
    const [before, written, after] = await Promise.all(targets.map((target) => target.read()));
    expect(written).toEqual(reference(values[1]!, 31, 2));
    expect(before).toEqual(widen(round(values[0]!, "bf16"), "bf16"));
    expect(after).toEqual(widen(round(values[2]!, "bf16"), "bf16"));
    for (const tensor of [...targets, ...sources]) tensor.dispose();
  });

  test("wrong arguments are refused", () => {
    const [x, half] = [device.tensor([1, 2], [2]), device.tensor([1, 2, 3], [3], "bf16")];
    expect(() => roundInto(half, x, { seed: 1, step: 1 })).toThrow(/roundInto: x has shape \[2\] and must have \[3\]/);
    expect(() => roundInto(x as never, x, { seed: 1, step: 1 })).toThrow(/target is an f32 tensor/);
    expect(() => roundInto(half, x, { seed: -1, step: 1 })).toThrow(/options.seed is -1/);
  });
});

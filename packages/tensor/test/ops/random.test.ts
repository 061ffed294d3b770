import { testDevice } from "@lethe/testing/device";
import { seed } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { fillInto, full, randomNormal, randomUniform, zeros } from "../../src/ops/random.ts";

const device = await testDevice();

test("zeros and full", async () => {
  expect([...(await zeros(device, [2, 3]).read())]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...(await full(device, [3], -2.5).read())]).toEqual([-2.5, -2.5, -2.5]);
  expect(await full(device, [], 7).item()).toBe(7);
});

test("fillInto writes every element of a tensor that is there, and no other tensor", async () => {
  const [target, beside] = [device.tensor(Array(1001).fill(3), [1001]), device.tensor([1, 2], [2])];
  fillInto(target, 0.5);
  expect(new Set(await target.read())).toEqual(new Set([0.5]));
  expect([...(await beside.read())]).toEqual([1, 2]);
});

// Known answers of Philox4x32-10 for counter 0 and key 0 (Random123's kat_vectors), of which the upper 24 bits are used.
test("the generator is Philox4x32-10", async () => {
  const bits = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
  expect([...(await randomUniform(device, [4], { seed: 0 }).read())]).toEqual(bits.map((b) => (b >>> 8) / 2 ** 24));
});

test("one seed gives the same bits, another seed other bits, and a longer tensor begins with the same numbers", async () => {
  const draw = (s: number, n: number) => randomNormal(device, [n], { seed: s }).read();
  expect(await draw(seed, 1001)).toEqual(await draw(seed, 1001));
  expect((await draw(seed, 1001)).slice(0, 77)).toEqual(await draw(seed, 77));
  const [a, b] = [await draw(seed, 500), await draw(seed + 1, 500)];
  expect(a.filter((value, i) => value === b[i]).length).toBeLessThan(3);
  const far = await draw(seed + 2 ** 32, 500);
  expect(a.filter((value, i) => value === far[i]).length).toBeLessThan(3);
});

// Moments lie within five standard errors. A correct generator misses that once in a million runs.
test("a normal distribution", async () => {
  const n = 100_003;
  const x = await randomNormal(device, [n], { seed, mean: 3, std: 2 }).read();
  const z = Float64Array.from(x, (value) => (value - 3) / 2);
  const moment = (k: number) => z.reduce((total, value) => total + value ** k, 0) / n;
  const limit = 5 / Math.sqrt(n);
  expect(Math.abs(moment(1))).toBeLessThan(limit);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(limit * Math.sqrt(2));
  expect(Math.abs(moment(3))).toBeLessThan(limit * Math.sqrt(15));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(limit * Math.sqrt(96));
  const neighbours = z.slice(1).reduce((total, value, i) => total + value * z[i]!, 0) / (n - 1);
  expect(Math.abs(neighbours)).toBeLessThan(limit);
  expect(z.every((value) => Math.abs(value) < 5.8)).toBe(true);
  const beyond2 = z.filter((value) => Math.abs(value) > 2).length / n;
  expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(5 * Math.sqrt((0.0455 * 0.9545) / n));
});

test("a uniform distribution", async () => {
  const n = 100_003;
  const x = await randomUniform(device, [n], { seed, low: -1, high: 3 }).read();
  expect(x.every((value) => value >= -1 && value < 3)).toBe(true);
  const mean = x.reduce((a, b) => a + b, 0) / n;
  expect(Math.abs(mean - 1)).toBeLessThan((5 * (4 / Math.sqrt(12))) / Math.sqrt(n));
  const counts = new Float64Array(16);
  for (const value of x) counts[Math.floor((value + 1) * 4)]!++;
  const chiSquare = counts.reduce((total, count) => total + (count - n / 16) ** 2 / (n / 16), 0);
  expect(chiSquare).toBeLessThan(56); // 15 degrees of freedom: exceeded once in a million.
});

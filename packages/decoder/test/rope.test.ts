import { expect, test } from "vitest";
import { inverseFrequencies, type RopeFields, readRope } from "../src/index.ts";

const read = (fields: Partial<RopeFields>) => readRope({ head_dim: 8, max_position_embeddings: 64, ...fields }).rope;

test("every spelling of the rotary base is read", () => {
  const base = (fields: Partial<RopeFields>) => read(fields)!.rope_theta;
  expect(base({})).toBe(10_000);
  expect(base({ rope_theta: 500 })).toBe(500);
  expect(base({ rope_parameters: { rope_type: "default", rope_theta: 700 } })).toBe(700);
  expect(base({ rope_theta: 500, rope_parameters: { rope_theta: 700 } })).toBe(700);
  expect(base({ rope_theta: 500, rope_scaling: { type: "linear", factor: 2 } })).toBe(500);
});

test("old and new spellings of scaling mean the same", () => {
  const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
  const old = read({ rope_theta: 500, rope_scaling: { type: "llama3", ...scaling } });
  expect(old).toEqual(read({ rope_parameters: { rope_type: "llama3", rope_theta: 500, ...scaling } }));
  expect(old).toMatchObject({ rope_type: "llama3", original_max_position_embeddings: 32, low_freq_factor: 1 });
  expect(read({ rope_scaling: { rope_type: "dynamic", factor: 2 } })).toMatchObject({
    rope_type: "dynamic",
    max_position_embeddings: 64,
  });
});

test("frequencies of each kind", () => {
  const plain = inverseFrequencies(read({})!, 1);
  expect(plain).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
  const linear = read({ rope_scaling: { type: "linear", factor: 4 } })!;
  expect(inverseFrequencies(linear, 999)).toEqual(plain.map((x) => Math.fround(x / 4)));
  const dynamic = read({ rope_scaling: { type: "dynamic", factor: 4 } })!;
  expect(inverseFrequencies(dynamic, 64)).toEqual(plain);
  // The slowest pair turns as far at position 4 · 128 − 3 · 64 = 320 as it did at position 64.
  expect(inverseFrequencies(dynamic, 128).at(-1)! * 320).toBeCloseTo(plain.at(-1)! * 64, 6);
  const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const llama3 = inverseFrequencies(read({ rope_scaling: { rope_type: "llama3", ...scaling } })!, 1);
  // The first turns 10.2 times in 64 positions, the second 1.02 times, the others less than once.
  expect([llama3[0], llama3[2], llama3[3]]).toEqual(
    [plain[0], plain[2]! / 8, plain[3]! / 8].map((x) => Math.fround(x!)),
  );
  expect(llama3[1]).toBeGreaterThan(plain[1]! / 8);
  expect(llama3[1]).toBeLessThan(plain[1]! / 7);
});

test("each wrong field has a line of its own", () => {
  const faults = (rope_scaling: object) =>
    readRope({ head_dim: 8, max_position_embeddings: 64, rope_theta: -1, rope_scaling }).problems;
  expect(faults({ rope_type: "llama3", factor: 0.5, low_freq_factor: "1" })).toMatchInlineSnapshot(`
    [
      "rope_theta is -1: too small: expected number to be >0",
      "rope_scaling.factor is 0.5: too small: expected number to be >=1",
      "rope_scaling.low_freq_factor is "1": invalid input: expected number, received string",
      "rope_scaling.high_freq_factor is missing: invalid input: expected number, received undefined",
    ]
  `);
  expect(faults({ rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 })).toMatchInlineSnapshot(`
    [
      "rope_theta is -1: too small: expected number to be >0",
      "rope_scaling.high_freq_factor is 4: expected a number above low_freq_factor",
    ]
  `);
  expect(faults({ rope_type: "longrope", factor: 2 })).toMatchInlineSnapshot(`
    [
      "rope_scaling.rope_type is "longrope": invalid discriminator value. expected 'default' | 'linear' | 'dynamic' | 'llama3' | 'yarn'",
    ]
  `);
});

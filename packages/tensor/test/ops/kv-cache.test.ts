import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { writeCache } from "../../src/ops/kv-cache.ts";

const device = await testDevice();

test.each([
  [2, 9, 3, 5, 4, 0],
  [3, 7, 1, 6, 1, 6],
  [1, 130, 2, 16, 67, 41],
])("writes rows into a cache [%i, %i, %i, %i]: %i from %i on, and nothing else", async (B, C, G, D, T, at) => {
  const before = normal(B * C * G * D);
  const values = normal(B * T * G * D);
  const cache = device.tensor(before, [B, C, G, D]);
  writeCache(cache, device.tensor(values, [B, T, G, D]), { at });
  const row = G * D;
  const expected = before.slice();
  for (let b = 0; b < B; b++) expected.set(values.subarray(b * T * row, (b + 1) * T * row), (b * C + at) * row);
  expect([...(await cache.read())]).toEqual([...expected]);
});

test("rows that do not fit are refused", () => {
  const cache = device.empty([2, 8, 2, 4]);
  expect(() => writeCache(cache, device.empty([2, 3, 2, 4]), { at: 6 })).toThrow("3 rows at 6 do not fit a cache of 8");
  expect(() => writeCache(cache, device.empty([2, 3, 1, 4]), { at: 0 })).toThrow("[2, 3, 1, 4]");
});

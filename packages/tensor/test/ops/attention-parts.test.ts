import { expectClose } from "@lethe/testing/close";
import { normal } from "@lethe/testing/random";
import { type AttentionCase, attentionReference } from "@lethe/testing/reference/attention";
import { afterAll, afterEach, expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { attentionForward } from "../../src/ops/attention.ts";
import { writeCache } from "../../src/ops/kv-cache.ts";
import { rope, ropeTable } from "../../src/ops/rope.ts";

// Keys of 32 numbers: 128 bytes, so that 156 of them fit a binding.
const maxBindingBytes = 20_000;
const whole = await openDevice({ poison: true });
const parted = await openDevice({ poison: true, maxBindingBytes });
afterEach(() => expect(parted.memory().bytesInUse).toBe(0));
afterAll(() => {
  whole.destroy();
  parted.destroy();
});

const decode: AttentionCase = {
  batch: 5,
  queries: 1,
  capacity: 64,
  length: 60,
  heads: 4,
  groups: 2,
  width: 16,
  scale: 0.25,
  starts: [0, 3, 59, 17, 60],
};
const long = { ...decode, batch: 2, capacity: 704, length: 700, starts: [0, 500] };
const cases: Record<string, AttentionCase> = {
  "two sequences at a time": decode,
  "sequences at bytes that are not aligned": { ...decode, capacity: 61 },
  "several queries": { ...decode, queries: 7, starts: [0, 3, 52, 55, 60] },
  "not causal": { ...decode, queries: 3, causal: false },
  "stretches of one sequence's keys": long,
  "stretches, several queries": { ...long, queries: 9, starts: [3, 695] },
  "stretches, unaligned, not causal": { ...long, capacity: 703, queries: 2, causal: false },
};

test.each(Object.entries(cases))("attention over a cache larger than one binding: %s", async (_, c) => {
  using _scope = parted.scope("test");
  const q = normal(c.batch * c.queries * c.heads * c.width);
  const keys = c.batch * c.capacity * c.groups * c.width;
  const [k, v] = [normal(keys), normal(keys)];
  const cacheShape = [c.batch, c.capacity, c.groups, c.width];
  const { causal = true, scale, length } = c;
  const cache = parted.tensor(k, cacheShape);
  expect(cache.bytes).toBeGreaterThan(maxBindingBytes);
  const { output, logSumExp } = attentionForward(
    parted.tensor(q, [c.batch, c.queries, c.heads, c.width]),
    cache,
    parted.tensor(v, cacheShape),
    { starts: parted.tensor(c.starts, [c.batch], "u32"), length, scale, causal },
  );
  const expected = attentionReference(c, q, k, v);
  expectClose(await output.read(), expected.output, { label: "output" });
  expectClose(await logSumExp.read(), expected.logSumExp, { label: "logSumExp" });
});

test("keys that no binding holds are refused", () => {
  using _ = parted.scope("test");
  const [q, k] = [parted.empty([1, 1, 1, 256]), parted.empty([1, 64, 1, 256])];
  expect(() => attentionForward(q, k, k)).toThrow("attention: 64 keys of 1024 bytes are larger than one binding");
});

test("rows are written into a cache larger than one binding, and nothing else", async () => {
  using _ = parted.scope("test");
  const [B, C, row, T, at] = [3, 100, 32, 2, 97];
  const [before, values] = [normal(B * C * row), normal(B * T * row)];
  const cache = parted.tensor(before, [B, C, 2, 16]);
  writeCache(cache, parted.tensor(values, [B, T, 2, 16]), { at });
  const expected = before.slice();
  for (let b = 0; b < B; b++) expected.set(values.subarray(b * T * row, (b + 1) * T * row), (b * C + at) * row);
  expect([...(await cache.read())]).toEqual([...expected]);
});

test("rotary positions have the same bits when tokens and table are larger than one binding", async () => {
  const inverseFrequencies = Array.from({ length: 8 }, (_, i) => 10_000 ** (-i / 8));
  const shape = [3, 67, 3, 16];
  const values = normal(3 * 67 * 3 * 16);
  const where = Array.from({ length: 3 * 67 }, (_, i) => (i * 37) % 700);
  const turned = async (device: typeof whole) => {
    using _ = device.scope("test");
    const table = ropeTable(device, { positions: 700, inverseFrequencies });
    const positions = device.tensor(where, [3, 67], "u32");
    return rope(device.tensor(values, shape), table, positions).read();
  };
  expect(await turned(parted)).toEqual(await turned(whole));
});

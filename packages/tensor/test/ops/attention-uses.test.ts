import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { type AttentionCase, attentionGradientReference, attentionReference } from "@lethe/testing/reference/attention";
import { expect, test } from "vitest";
import { attention, attentionBackward, attentionForward } from "../../src/ops/attention.ts";
import { writeCache } from "../../src/ops/kv-cache.ts";

const device = await testDevice();

const c: AttentionCase = {
  batch: 2,
  queries: 11,
  capacity: 11,
  length: 11,
  heads: 6,
  groups: 2,
  width: 12,
  scale: 0.4,
  starts: [0, integer(0, 10)],
};
const queryShape = [c.batch, c.queries, c.heads, c.width] as const;
const keyShape = [c.batch, c.queries, c.groups, c.width] as const;
const sizes = { q: c.batch * c.queries * c.heads * c.width, k: c.batch * c.queries * c.groups * c.width };

test("the reference's gradients are the slopes of its output", () => {
  const inputs = { q: normal(sizes.q), k: normal(sizes.k), v: normal(sizes.k) };
  const gradient = normal(sizes.q);
  const loss = ({ q, k, v }: Record<"q" | "k" | "v", ArrayLike<number>>) =>
    attentionReference(c, q, k, v).output.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
  const expected = attentionGradientReference(c, inputs.q, inputs.k, inputs.v, gradient);
  for (const name of ["q", "k", "v"] as const)
    for (let n = 0; n < 20; n++) {
      const i = integer(0, inputs[name].length - 1);
      const moved = (by: number) => {
        const values = Float64Array.from(inputs[name]);
        values[i]! += by;
        return loss({ ...inputs, [name]: values });
      };
      expect(expected[name][i], `${name}[${i}]`).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
    }
});

test("decoding one token after another gives the rows of prefill", async () => {
  const [q, k, v] = [normal(sizes.q), normal(sizes.k), normal(sizes.k)];
  const starts = device.tensor(c.starts, [c.batch], "u32");
  const options = { scale: c.scale, starts };
  const whole = attention(
    device.tensor(q, queryShape),
    device.tensor(k, keyShape),
    device.tensor(v, keyShape),
    options,
  );
  const rows = await whole.read();
  const room = [c.batch, c.queries + 3, c.groups, c.width] as const;
  const caches = { k: device.empty(room), v: device.empty(room) };
  const token = (values: Float32Array, t: number, width: number) =>
    Array.from({ length: c.batch }, (_, b) => [
      ...values.subarray((b * c.queries + t) * width, (b * c.queries + t + 1) * width),
    ]).flat();
  const [queryRow, keyRow] = [c.heads * c.width, c.groups * c.width];
  for (let t = 0; t < c.queries; t++) {
    const keysOf = (values: Float32Array) => device.tensor(token(values, t, keyRow), [c.batch, 1, c.groups, c.width]);
    writeCache(caches.k, keysOf(k), { at: t });
    writeCache(caches.v, keysOf(v), { at: t });
    const query = device.tensor(token(q, t, queryRow), [c.batch, 1, c.heads, c.width]);
    const row = attention(query, caches.k, caches.v, { ...options, length: t + 1 });
    expectClose(await row.read(), token(rows, t, queryRow), { label: `token ${t}` });
  }
});

test("the same bits twice, forward and backward", async () => {
  const q = device.tensor(normal(sizes.q), queryShape);
  const k = device.tensor(normal(sizes.k), keyShape);
  const v = device.tensor(normal(sizes.k), keyShape);
  const run = async () => {
    const { output, logSumExp } = attentionForward(q, k, v);
    const gradients = attentionBackward(q, k, v, output, logSumExp, q);
    const tensors = [output, logSumExp, gradients.q, gradients.k, gradients.v];
    return Promise.all(tensors.map(async (tensor) => [...(await tensor.read())]));
  };
  expect(await run()).toEqual(await run());
});

test("names what does not fit", () => {
  const q = device.empty([2, 3, 4, 8]);
  const k = device.empty([2, 5, 2, 8]);
  expect(() => attention(q, device.empty([2, 5, 3, 8]), device.empty([2, 5, 3, 8]))).toThrow("4 query heads");
  expect(() => attention(q, k, device.empty([2, 6, 2, 8]))).toThrow(
    "v has shape [2, 6, 2, 8] and must have [2, 5, 2, 8]",
  );
  expect(() => attention(q, k, k, { length: 6 })).toThrow("length 6");
  expect(() => attention(q, k, k, { length: 2 })).toThrow("length 2");
  expect(() => attention(q, k, k, { length: 0, causal: false })).toThrow("a whole number from 1 to 5");
  expect(() => attention(q, k, k, { starts: device.empty([3], "u32") })).toThrow(
    "starts has shape [3] and must have [2]",
  );
  expect(() => attention(device.empty([1, 1, 1, 6]), device.empty([1, 1, 1, 6]), device.empty([1, 1, 1, 6]))).toThrow(
    "multiple of 4",
  );
});

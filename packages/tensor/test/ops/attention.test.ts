import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { type AttentionCase, attentionGradientReference, attentionReference } from "@lethe/testing/reference/attention";
import { describe, test } from "vitest";
import {
  attendWithPattern,
  attention,
  attentionBackward,
  attentionForward,
  attentionPattern,
} from "../../src/ops/attention.ts";

const device = await testDevice();

const cases: Record<string, Partial<AttentionCase>> = {
  "one token": { queries: 1, length: 1, capacity: 1 },
  "odd everything": { batch: 3, queries: 13, heads: 3, groups: 1, width: 20 },
  "two query heads a key head": { queries: 37, heads: 4, groups: 2, width: 16 },
  "four query heads a key head": { queries: 9, heads: 4, groups: 1, width: 8 },
  "every head its own": { queries: 33, heads: 4, groups: 4, width: 12 },
  "a cache with room": { queries: 5, length: 19, capacity: 31, heads: 4, groups: 2 },
  "two queries on a cache": { queries: 2, length: 18, capacity: 21, heads: 3, groups: 1, width: 28 },
  "one query on a long cache": { queries: 1, length: 67, capacity: 70, heads: 4, groups: 2, width: 64 },
  "one query on keys enough to share": { queries: 1, length: 531, capacity: 600, heads: 2, groups: 1, width: 20 },
  "a wide head": { batch: 2, queries: 35, heads: 2, groups: 1, width: 128 },
  "the widest head": { batch: 1, queries: 34, heads: 2, groups: 1, width: 256 },
  "a large scale": { queries: 24, scale: 5 },
  "not causal, odd everything": { batch: 3, queries: 13, heads: 3, groups: 1, width: 20, causal: false },
  "not causal, more queries than keys": { queries: 37, length: 21, capacity: 25, heads: 4, width: 12, causal: false },
  "not causal, on a cache with room": { queries: 35, length: 67, capacity: 101, heads: 4, width: 40, causal: false },
  "not causal, two queries": { queries: 2, length: 18, capacity: 21, heads: 3, groups: 1, width: 28, causal: false },
  "not causal, one query on keys enough to share": {
    queries: 1,
    length: 531,
    capacity: 600,
    groups: 1,
    width: 20,
    causal: false,
  },
};

function make(partial: Partial<AttentionCase>, padding: "none" | "random" | "full") {
  const shape = { batch: 2, queries: 7, heads: 2, groups: 2, width: 16, ...partial };
  const length = partial.length ?? shape.queries;
  const capacity = partial.capacity ?? length;
  const scale = partial.scale ?? 1 / Math.sqrt(shape.width);
  const pad = () => (padding === "none" ? 0 : padding === "full" ? length : integer(0, length - 1));
  const starts = Array.from({ length: shape.batch }, (_, b) => (padding === "random" && b === 0 ? length - 1 : pad()));
  const c: AttentionCase = { ...shape, length, capacity, scale, starts };
  const q = normal(c.batch * c.queries * c.heads * c.width);
  const k = normal(c.batch * c.capacity * c.groups * c.width);
  const v = normal(c.batch * c.capacity * c.groups * c.width);
  // What lies beyond the keys in use must not be read, let alone multiplied by zero.
  for (let i = 0; i < k.length; i++)
    if (Math.floor(i / (c.groups * c.width)) % c.capacity >= c.length) k[i] = v[i] = Number.NaN;
  const tensors = {
    q: device.tensor(q, [c.batch, c.queries, c.heads, c.width]),
    k: device.tensor(k, [c.batch, c.capacity, c.groups, c.width]),
    v: device.tensor(v, [c.batch, c.capacity, c.groups, c.width]),
    starts: device.tensor(starts, [c.batch], "u32"),
  };
  const { causal } = partial;
  const options = {
    length,
    scale,
    ...(causal === undefined ? {} : { causal }),
    ...(padding === "none" ? {} : { starts: tensors.starts }),
  };
  return { c, q, k, v, tensors, options };
}

describe.each(Object.entries(cases))("the stored pattern, %s", (_, partial) => {
  test.each(["none", "random", "full"] as const)("padding: %s", async (padding) => {
    const { c, q, k, v, tensors, options } = make(partial, padding);
    const pattern = attentionPattern(tensors.q, tensors.k, options);
    const expected = attentionReference(c, q, k, v);
    expectClose(await pattern.read(), expected.pattern, { label: "pattern" });
    const unfused = await attendWithPattern(pattern, tensors.v).read();
    expectClose(unfused, expected.output, { label: "unfused output" });
    const fused = await attention(tensors.q, tensors.k, tensors.v, options).read();
    expectClose(unfused, fused, { label: "unfused against fused" });
  });
});

// On adapters with narrow subgroups the planner chooses neither tiles nor decoding; both must be right on every adapter.
// The head of 128 is left out for tiles: it is one more kernel to compile, which takes some software adapters long.
describe.each([undefined, "tile", "decode"] as const)("attention, kernels forced: %s", (forced) => {
  const tried = Object.entries(cases).filter(([name]) => forced !== "tile" || name !== "a wide head");
  describe.each(tried)("%s", (_, partial) => {
    test.each(["none", "random", "full"] as const)("padding: %s", async (padding) => {
      const { c, q, k, v, tensors, options } = make(partial, padding);
      const { output, logSumExp } = attentionForward(tensors.q, tensors.k, tensors.v, options, forced);
      const expected = attentionReference(c, q, k, v);
      expectClose(await output.read(), expected.output, { label: "output" });
      expectClose(await logSumExp.read(), expected.logSumExp, { label: "logSumExp" });
      const gradient = normal(q.length);
      const upstream = device.tensor(gradient, tensors.q.shape);
      const gradients = attentionBackward(
        tensors.q,
        tensors.k,
        tensors.v,
        output,
        logSumExp,
        upstream,
        options,
        forced,
      );
      const wanted = attentionGradientReference(c, q, k, v, gradient);
      // The backward pass recovers the weights as exp(score - logSumExp): what those two were rounded by, in proportion to the
      // scale, is the relative error of a weight, and of every gradient through it.
      const atol = 1e-5 * Math.max(1, c.scale * Math.sqrt(c.width));
      expectClose(await gradients.q.read(), wanted.q, { atol, label: "gradient of q" });
      expectClose(await gradients.k.read(), wanted.k, { atol, label: "gradient of k" });
      expectClose(await gradients.v.read(), wanted.v, { atol, label: "gradient of v" });
    });
  });
});

// Each query points at one key, which gets nearly all of its weight. Then dP − δ is of the size of f32's rounding, 10⁻⁷, and the gradients of
// q and k are far smaller. The tolerance is relative to the largest of them, because a weight, the exponential of a difference of scores
// near 60, has a relative error of some 10⁻⁵; and 10⁻¹¹ is the rounding of a rounding, times queries of 250.
test.each([undefined, "tile"] as const)(
  "gradients where the softmax is nearly one-hot, kernels forced: %s",
  async (forced) => {
    const { c, q, k, v, tensors, options } = make({ queries: 37, groups: 1 }, "none");
    for (let i = 0; i < k.length; i += c.width) {
      const length = Math.hypot(...k.subarray(i, i + c.width));
      for (let d = 0; d < c.width; d++) k[i + d]! /= length;
    }
    for (let i = 0; i < q.length; i += c.width) {
      const [b, t] = [Math.floor(i / (c.width * c.heads * c.queries)), Math.floor(i / (c.width * c.heads)) % c.queries];
      const key = (b * c.capacity + integer(0, t)) * c.width;
      for (let d = 0; d < c.width; d++) q[i + d] = 250 * k[key + d]!;
    }
    const [sharpQ, sharpK] = [device.tensor(q, tensors.q.shape), device.tensor(k, tensors.k.shape)];
    const gradient = normal(q.length);
    const { output, logSumExp } = attentionForward(sharpQ, sharpK, tensors.v, options, forced);
    const upstream = device.tensor(gradient, tensors.q.shape);
    const gradients = attentionBackward(sharpQ, sharpK, tensors.v, output, logSumExp, upstream, options, forced);
    const wanted = attentionGradientReference(c, q, k, v, gradient);
    for (const name of ["q", "k"] as const) {
      const largest = Math.max(...wanted[name].map(Math.abs));
      expectClose(await gradients[name].read(), wanted[name], {
        atol: 1e-11 + 3e-4 * largest,
        rtol: 3e-4,
        label: `gradient of ${name}`,
      });
    }
  },
);

import { expect, test } from "vitest";
import { type AttentionSizes, planAttention, planAttentionBackward } from "../../src/ops/attention-plan.ts";

const sizes: AttentionSizes = {
  batch: 2,
  queries: 20,
  capacity: 21,
  length: 20,
  heads: 4,
  groups: 2,
  width: 16,
};
const mesa = { subgroups: { min: 8, max: 8 } };
const swiftshader = { subgroups: { min: 4, max: 4 } };
const gpu = { subgroups: { min: 32, max: 32 } };
const bare = { subgroups: null };

test("on narrow subgroups, registers hold the rows and workgroups cover the queries", () => {
  expect(planAttention(mesa, sizes)).toEqual({
    kernel: "attention_lanes",
    constants: { LANES: 8, VECTORS: 4, TURNS: 0, OWN: 2 },
    workgroups: 2 * 4 * 2,
    stretches: 1,
  });
  expect(planAttention(swiftshader, sizes)).toMatchObject({
    constants: { LANES: 4, VECTORS: 4, TURNS: 4, OWN: 4 },
    workgroups: 2 * 4 * 2,
  });
  expect(planAttention(mesa, { ...sizes, width: 64 }).constants).toEqual({ LANES: 8, VECTORS: 16, TURNS: 0, OWN: 2 });
});

test("long rows of four lanes are not unrolled, and a lane has one", () => {
  expect(planAttention(swiftshader, { ...sizes, width: 64 })).toMatchObject({
    constants: { LANES: 4, VECTORS: 16, TURNS: 0, OWN: 1 },
    workgroups: 2 * 4 * 5,
  });
});

test("adapters without narrow subgroups of one fixed size take tiles", () => {
  const varying = { subgroups: { min: 4, max: 32 } };
  for (const capabilities of [gpu, bare, varying])
    expect(planAttention(capabilities, { ...sizes, width: 128 })).toEqual({
      kernel: "attention_tile",
      constants: { COLUMNS: 2 },
      workgroups: 2 * 4,
      stretches: 1,
    });
});

test("few queries take a kernel of their own; few rows over many keys are cut into stretches", () => {
  const one = { ...sizes, queries: 1, length: 2000, capacity: 4096 };
  expect(planAttention(gpu, { ...one, width: 128, batch: 1, heads: 32 })).toEqual({
    kernel: "attention_decode",
    constants: {},
    workgroups: 32,
    stretches: 8,
  });
  expect(planAttention(gpu, { ...one, batch: 64 }).stretches).toBe(1);
  expect(planAttention(gpu, { ...one, length: 20 }).stretches).toBe(1);
  expect(planAttention(gpu, { ...one, queries: 5 }).kernel).toBe("attention_tile");
  expect(planAttention(mesa, one)).toEqual({
    kernel: "attention_lanes_few",
    constants: { LANES: 8, VECTORS: 4, TURNS: 0, OWN: 2 },
    workgroups: 2 * 4,
    stretches: 1,
  });
  expect(planAttention(swiftshader, { ...one, queries: 3 }).kernel).toBe("attention_lanes_few");
  expect(planAttention(swiftshader, { ...one, queries: 3, width: 64 }).kernel).toBe("attention_lanes");
});

test("gradients cover queries by heads, and keys by key heads", () => {
  const { q, kv } = planAttentionBackward(mesa, sizes);
  const constants = { LANES: 8, VECTORS: 4, TURNS: 0, OWN: 1 };
  expect(q).toEqual({ kernel: "attention_lanes_backward_q", constants, workgroups: 2 * 4 * 3 });
  expect(kv).toEqual({ kernel: "attention_lanes_backward_kv", constants, workgroups: 2 * 2 * 3 });
  expect(planAttentionBackward(gpu, { ...sizes, queries: 1 }).q.kernel).toBe("attention_tile_backward_q");
});

test("a forced choice is kept", () => {
  expect(planAttention(mesa, sizes, "tile").kernel).toBe("attention_tile");
  expect(planAttention(mesa, sizes, "decode").kernel).toBe("attention_decode");
  expect(planAttention(gpu, { ...sizes, queries: 1 }, "tile").kernel).toBe("attention_tile");
});

import { describe, expect, test } from "vitest";
import type { Capabilities } from "../../src/gpu/capabilities.ts";
import { type MatmulProblem, planMatmul } from "../../src/ops/matmul-plan.ts";

const gpu: Capabilities = {
  subgroups: { min: 32, max: 32 },
  f16: true,
  matrixUnits: [],
  timestamps: true,
  software: false,
  maxWorkgroupSize: 1024,
  maxWorkgroupsPerDimension: 65535,
  maxSharedBytes: 49152,
  maxBindingBytes: 2 ** 31,
  maxBufferBytes: 2 ** 32,
  bindingAlignment: 256,
};
const adapters = {
  gpu,
  "gpu without subgroups, at WebGPU's least limits": {
    ...gpu,
    subgroups: null,
    f16: false,
    maxWorkgroupSize: 256,
    maxSharedBytes: 16384,
    maxBindingBytes: 2 ** 27,
  },
  "gpu with subgroups of 4 to 64 lanes": { ...gpu, subgroups: { min: 4, max: 64 } },
  "software, 8 lanes": { ...gpu, software: true, subgroups: { min: 8, max: 8 } },
  "software, 4 lanes": { ...gpu, software: true, subgroups: { min: 4, max: 4 }, maxWorkgroupSize: 256 },
  "software, no subgroups": { ...gpu, software: true, subgroups: null },
} satisfies Record<string, Capabilities>;

function problem(m: number, n: number, k: number, rest: Partial<MatmulProblem> = {}): MatmulProblem {
  return {
    m,
    n,
    k,
    batch: 1,
    transposeA: false,
    transposeB: true,
    dtype: "f32",
    aligned: true,
    alignedA: true,
    ...rest,
  };
}

test.each([
  ["gpu", 1, "small"],
  ["gpu", 8, "small"],
  ["gpu", 9, "tiled"],
  ["gpu", 4096, "tiled"],
  ["gpu without subgroups, at WebGPU's least limits", 1, "small"],
  ["gpu without subgroups, at WebGPU's least limits", 512, "tiled"],
  ["gpu with subgroups of 4 to 64 lanes", 512, "tiled"],
  ["software, 8 lanes", 1, "row"],
  ["software, 8 lanes", 2, "vectors"],
  ["software, 8 lanes", 512, "vectors"],
  ["software, 4 lanes", 512, "vectors"],
  ["software, no subgroups", 512, "plain"],
] as const)("%s, %i rows: %s", (adapter, m, kernel) => {
  expect(planMatmul(problem(m, 4096, 4096), adapters[adapter]).kernel).toBe(kernel);
});

test("a forced kernel is planned on every adapter", () => {
  for (const capabilities of Object.values(adapters))
    for (const kernel of ["plain", "tiled", "subgroup", "small"] as const)
      expect(planMatmul(problem(5, 6, 7), capabilities, kernel).kernel).toBe(kernel);
});

test.each([
  ["rows of b that begin between vectors", { aligned: false }],
  ["rows of a that do", { alignedA: false }],
  ["a sum that does not end with one", { k: 63 }],
] as const)("%s: no whole vectors", (_, rest) => {
  expect(planMatmul(problem(64, 64, 64, rest), adapters["software, 8 lanes"]).kernel).toBe("subgroup");
});

test("whole vectors of a packed weight", () => {
  const { kernel, constants } = planMatmul(problem(64, 64, 64, { dtype: "bf16" }), adapters["software, 8 lanes"]);
  expect(kernel).toBe("vectors_packed");
  expect(constants.B_DTYPE).toBe(2);
});

describe("subgroup", () => {
  test.each([
    ["software, 4 lanes", 16, false],
    ["software, 8 lanes", 16, true],
    ["gpu with subgroups of 4 to 64 lanes", 64, false],
  ] as const)("whole subgroups on %s: %i lanes", (adapter, lanes, eight) => {
    const { constants } = planMatmul(problem(64, 64, 64), adapters[adapter], "subgroup");
    expect(constants).toMatchObject({ LANES: lanes, EIGHT_LANES: eight });
  });

  test.each([
    [2, 4],
    [4, 4],
    [5, 8],
    [9, 16],
    [100, 16],
  ])("%i rows: %i to a lane", (m, rows) => {
    const plan = planMatmul(problem(m, 256, 64), adapters["software, 8 lanes"]);
    expect(plan).toMatchObject({ constants: { ROWS: rows }, workgroups: 4 * Math.ceil(m / rows), slices: 1 });
  });

  test("a product with work for few cores is cut into single subgroups", () => {
    const of = (m: number, n: number) => planMatmul(problem(m, n, 64), adapters["software, 8 lanes"]);
    expect(of(8, 64)).toMatchObject({ constants: { LANES: 8 }, workgroups: 2 });
    expect(of(8, 192)).toMatchObject({ constants: { LANES: 8 }, workgroups: 6 });
    expect(of(8, 256)).toMatchObject({ constants: { LANES: 16 }, workgroups: 4 });
  });
});

describe("tiled", () => {
  test.each([
    [16, 4096, [2, 32]],
    [32, 4096, [4, 16]],
    [128, 1024, [8, 16]],
    [4096, 4096, [8, 32]],
  ] as const)("tile for %i × %i", (m, n, [lanesM, lanesN]) => {
    const { constants } = planMatmul(problem(m, n, 64), gpu, "tiled");
    expect(constants).toMatchObject({ LANES_M: lanesM, LANES_N: lanesN });
  });

  test("every tile fits the least limits that WebGPU promises", () => {
    for (const m of [1, 16, 32, 64, 8192]) {
      const { LANES_M, LANES_N } = planMatmul(problem(m, 8192, 64), gpu, "tiled").constants as Record<string, number>;
      expect(LANES_M! * LANES_N!).toBeLessThanOrEqual(256);
      expect((2 * LANES_M! + 1 + LANES_N! + 1) * 16 * 16).toBeLessThanOrEqual(16384);
    }
  });
});

describe("slices of a long sum", () => {
  test.each([
    // Few workgroups and a long sum, as in the gradient of a small weight.
    [64, 64, 4096, 16],
    [64, 64, 300, 1],
    [4096, 4096, 4096, 1],
  ])("%i × %i over %i: %i", (m, n, k, slices) => {
    const plan = planMatmul(problem(m, n, k), gpu);
    expect(plan.slices).toBe(slices);
    expect(plan.depth * plan.slices).toBeGreaterThanOrEqual(k);
    expect(plan.depth * (plan.slices - 1)).toBeLessThan(k);
  });

  test("a batch, a software adapter and slices too large to bind have none", () => {
    expect(planMatmul(problem(64, 64, 4096, { batch: 2 }), gpu).slices).toBe(1);
    expect(planMatmul(problem(64, 64, 4096), adapters["software, 8 lanes"]).slices).toBe(1);
    expect(planMatmul(problem(64, 64, 4096), { ...gpu, maxBindingBytes: 64 * 64 * 4 }).slices).toBe(1);
  });
});

test("workgroups cover every product of the batch", () => {
  expect(planMatmul(problem(65, 65, 8, { batch: 3 }), gpu, "tiled").workgroups).toBe(3 * 2 * 2);
  expect(planMatmul(problem(65, 65, 8, { batch: 3 }), gpu, "plain").workgroups).toBe(Math.ceil((3 * 65 * 65) / 64));
  expect(planMatmul(problem(0, 65, 8), gpu).workgroups).toBe(0);
});

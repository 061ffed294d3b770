import { expect, test } from "vitest";
import type { Capabilities, MatrixUnit } from "../../src/gpu/capabilities.ts";
import { attentionFamilies, planAttention, planAttentionBackward } from "../../src/ops/attention-plan.ts";
import { matmulKernels, planMatmul } from "../../src/ops/matmul-plan.ts";
import { layouts } from "./mixed-product.ts";
import { complaint, openNothing } from "./null-backend.ts";

// What would be chosen on GPUs that are not at hand, by what their drivers tell WebGPU. Subgroups of 32 and 64 lanes cannot run on a software adapter;
// that the kernels chosen here compute right is tested by forcing them (matmul.test.ts, attention.test.ts, matmul-matrix.test.ts).

const least: Capabilities = {
  ...{ subgroups: null, f16: false, matrixUnits: [], timestamps: false, software: false },
  ...{ maxWorkgroupSize: 256, maxWorkgroupsPerDimension: 65535, maxSharedBytes: 16384 },
  ...{ maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28, bindingAlignment: 256 },
};
const roomy = { f16: true, maxWorkgroupSize: 1024, maxSharedBytes: 32768 };
const unit = (m: number, n: number, k: number, input: string, sum: string): MatrixUnit => ({ m, n, k, input, sum });
const adapters = {
  nvidia: {
    ...{ ...least, ...roomy, maxSharedBytes: 49152, maxBindingBytes: 2 ** 31 - 4, subgroups: { min: 32, max: 32 } },
    matrixUnits: [
      unit(16, 16, 16, "f16", "f16"),
      unit(16, 8, 16, "f16", "f32"),
      unit(16, 16, 16, "f16", "f32"),
      unit(16, 16, 32, "i8", "i32"),
    ],
  },
  amd: { ...least, ...roomy, subgroups: { min: 32, max: 64 }, matrixUnits: [unit(16, 16, 16, "f16", "f32")] },
  apple: {
    ...{ ...least, ...roomy, subgroups: { min: 32, max: 32 } },
    matrixUnits: [unit(8, 8, 8, "f16", "f16"), unit(8, 8, 8, "f32", "f32")],
  },
  intel: { ...least, ...roomy, subgroups: { min: 8, max: 32 }, matrixUnits: [unit(8, 16, 16, "f16", "f32")] },
  "an adapter with f16 alone": { ...least, f16: true },
  "WebGPU's least": least,
} satisfies Record<string, Capabilities>;

const problem = (m: number, n: number, transposeA = false, transposeB = true) => ({
  ...{ m, n, k: 4096, batch: 1, transposeA, transposeB },
  ...{ dtype: "bf16" as const, aligned: true, alignedA: true },
});

test.each([
  ["nvidia", "matrix", { UNIT_M: 16, UNIT_N: 16, UNIT_K: 16, TILE_M: 128, LANES: 256 }],
  ["amd", "matrix", { UNIT_M: 16, UNIT_N: 16, UNIT_K: 16, TILE_M: 128, LANES: 256 }],
  ["apple", "matrix_single", { UNIT_M: 8, UNIT_N: 8, UNIT_K: 8, TILE_M: 64, LANES: 128 }],
  ["intel", "halves", {}],
  ["an adapter with f16 alone", "halves", {}],
] as const)("mixed precision on %s: %s", (adapter, kernel, constants) => {
  const plan = planMatmul(problem(4096, 4096), adapters[adapter], "mixed");
  expect(plan).toMatchObject({ kernel, mixed: true, constants });
  expect(planMatmul(problem(8, 4096), adapters[adapter], "mixed")).toMatchObject({ kernel: "small", mixed: false });
  const unaligned = { ...problem(4096, 4096), aligned: false };
  expect(planMatmul(unaligned, adapters[adapter], "mixed").kernel).toBe("halves");
  expect(planMatmul(problem(64, 64), adapters[adapter], "mixed").slices).toBeGreaterThan(1);
});

test("without f16, mixed precision is refused with any number of rows", () => {
  for (const m of [1, 4096])
    expect(() => planMatmul(problem(m, 64), least, "mixed")).toThrow(
      "needs an adapter with the WebGPU feature shader-f16",
    );
});

test("in f32, every GPU takes the same kernels", () => {
  for (const capabilities of Object.values(adapters)) {
    expect(planMatmul(problem(1, 4096), capabilities).kernel).toBe("small");
    expect(planMatmul(problem(4096, 4096), capabilities).kernel).toBe("tiled");
    const sizes = { batch: 1, queries: 512, capacity: 512, length: 512, heads: 32, groups: 8, width: 128 };
    expect(planAttention(capabilities, sizes).kernel).toBe("attention_tile");
    expect(planAttention(capabilities, { ...sizes, queries: 1 }).kernel).toBe("attention_decode");
    expect(planAttentionBackward(capabilities, sizes).kv.kernel).toBe("attention_tile_backward_kv");
  }
});

test("what any of them may choose compiles within the least limits of WebGPU, but for large tiles of matrix units", async () => {
  const nothing = await openNothing();
  const plans = new Map<string, { kernel: string; constants: Record<string, number | boolean> }>();
  const add = (kernel: string, constants: object) =>
    plans.set(`${kernel} ${JSON.stringify(constants)}`, { kernel, constants: { ...constants } });
  for (const capabilities of Object.values(adapters)) {
    const shared = { ...capabilities, maxSharedBytes: 16384 };
    for (const kernel of matmulKernels.filter((kernel) => kernel !== "mixed" || capabilities.f16))
      for (const m of [1, 2, 4, 8, 16, 32, 128, 8192])
        for (const { transposeA, transposeB } of layouts) {
          const plan = planMatmul(problem(m, 4096, transposeA, transposeB), shared, kernel);
          if (kernel !== "subgroup" || capabilities.subgroups) add(`matmul_${plan.kernel}`, plan.constants);
        }
    for (const family of attentionFamilies.filter((family) => family !== "lanes"))
      for (const width of [64, 128, 256]) {
        const sizes = { batch: 1, queries: 64, capacity: 64, length: 64, heads: 4, groups: 2, width };
        const { kernel, constants } = planAttention(shared, sizes, family);
        const { q, kv } = planAttentionBackward(shared, sizes, "tile");
        add(kernel, constants);
        for (const backward of [q, kv]) add(backward.kernel, backward.constants);
      }
  }
  for (const [name, { kernel, constants }] of plans) expect(await complaint(nothing, kernel, constants), name).toBe("");
  nothing.destroy();
});

import { testDevice } from "@lethe/testing/device";
import { integer } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { wgsl } from "#wgsl";
import type { Capabilities } from "../../src/gpu/capabilities.ts";
import { planMatmul } from "../../src/ops/matmul-plan.ts";
import { emulated } from "./matrix-units.ts";
import { checkMixed, layouts } from "./mixed-product.ts";
import { complaint, openNothing } from "./null-backend.ts";

// No software adapter has matrix units. So the kernels that use them are compiled for Dawn's null backend, which accepts all features and
// computes nothing, and run with the units' functions written out in WGSL.

const device = await testDevice();
const software = device.capabilities;

const bare = { ...{ m: 200, n: 200, k: 64, batch: 1 }, dtype: "bf16", aligned: true, alignedA: true } as const;

const units = [
  { kernel: "matrix", m: 16, n: 16, k: 16, input: "f16", bytes: [16384, 30720], stored: layouts[1]! },
  { kernel: "matrix_single", m: 8, n: 8, k: 8, input: "f32", bytes: [23552, 45056], stored: layouts[3]! },
] as const;

describe.each(units)("$m × $n × $k of $input", ({ kernel, bytes, stored, ...unit }) => {
  const gpu: Capabilities = {
    ...{ ...software, software: false, f16: true, maxSharedBytes: 2 ** 16, maxWorkgroupSize: 1024 },
    ...{ subgroups: { min: 32, max: 32 }, matrixUnits: [{ ...unit, sum: "f32" }] },
  };

  test("Dawn compiles the kernel, in each layout and with each tile as far as its null adapter has room", async () => {
    const nothing = await openNothing();
    const room = nothing.limits.maxComputeWorkgroupStorageSize;
    for (const [i, n] of [200, 65536].entries())
      for (const layout of layouts) {
        const plan = planMatmul({ ...bare, n, ...layout }, gpu, "mixed");
        expect(plan.kernel).toBe(kernel);
        const expected = bytes[i]! > room ? RegExp(`workgroup storage \\(${bytes[i]} bytes\\) is larger`) : /^$/;
        expect(await complaint(nothing, `matmul_${kernel}`, plan.constants)).toMatch(expected);
      }
    nothing.destroy();
  });

  test("the large tile is taken where there are many of them and it fits shared memory", () => {
    const tile = (rest: object, capabilities: object = {}) =>
      planMatmul({ ...bare, transposeA: false, transposeB: true, ...rest }, { ...gpu, ...capabilities }, "mixed");
    expect(tile({ n: 65536 }).constants).toMatchObject({ TILE_M: 128, TILE_N: 128, LANES: 256 });
    expect(tile({ n: 65536 }, { maxSharedBytes: bytes[1] - 1 }).constants).toMatchObject({ TILE_M: 64, LANES: 128 });
    expect(tile({ n: 200 }).constants).toMatchObject({ TILE_M: 64, TILE_N: 64, LANES: 128 });
    expect(tile({ n: 65536 }, { maxSharedBytes: bytes[0] - 1 }).kernel).toBe("halves");
    expect(tile({ n: 65536 }, { maxWorkgroupSize: 128 }).constants).toMatchObject({ LANES: 128 });
  });

  test.runIf(software.f16)("with the units written out in WGSL it computes what they would", async () => {
    device.addKernel(`matmul_${kernel}`, emulated(wgsl(`matmul_${kernel}`)));
    try {
      Object.assign(device, { capabilities: { ...gpu, maxSharedBytes: bytes[0] } });
      await checkMixed(device, { m: 4 * integer(9, 17), n: 4 * integer(9, 15), k: 76, ...stored });
    } finally {
      Object.assign(device, { capabilities: software });
    }
  });
});

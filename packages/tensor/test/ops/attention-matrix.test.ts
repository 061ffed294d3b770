import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { type AttentionCase, attentionReference } from "@lethe/testing/reference/attention";
import { afterEach, describe, expect, test } from "vitest";
import { wgsl } from "#wgsl";
import type { Capabilities } from "../../src/gpu/capabilities.ts";
import { planMatrixAttention } from "../../src/ops/attention-matrix-plan.ts";
import { mixedOps, ops } from "../../src/ops/index.ts";
import { emulated } from "./matrix-units.ts";
import { complaint, openNothing } from "./null-backend.ts";

// Attention on matrix units, of which no software adapter has any: see matmul-matrix.test.ts.

const device = await testDevice();
const software = device.capabilities;
const unit = { m: 16, n: 16, k: 16, input: "f16", sum: "f32" };
const gpu: Capabilities = {
  ...{ ...software, software: false, f16: true, maxSharedBytes: 49152, maxWorkgroupSize: 1024 },
  ...{ subgroups: { min: 32, max: 32 }, matrixUnits: [unit] },
};
afterEach(() => void Object.assign(device, { capabilities: software }));

const sizes = { batch: 2, queries: 100, capacity: 128, length: 100, heads: 8, groups: 2, width: 64 };

test("the plan takes it where it fits, for more than a few queries", () => {
  expect(planMatrixAttention(gpu, sizes)).toEqual({
    kernel: "attention_matrix",
    constants: { UNIT_M: 16, UNIT_N: 16, UNIT_K: 16, WIDTH: 64 },
    workgroups: 2 * 8 * 2,
    stretches: 1,
  });
  expect(planMatrixAttention(gpu, { ...sizes, width: 128 })).not.toBeNull();
  expect(planMatrixAttention(gpu, { ...sizes, width: 256 })).toBeNull();
  expect(planMatrixAttention(gpu, { ...sizes, width: 40 })).toBeNull();
  expect(planMatrixAttention(gpu, { ...sizes, queries: 8 })).toBeNull();
  expect(planMatrixAttention({ ...gpu, maxSharedBytes: 16384 }, sizes)).toBeNull();
  expect(planMatrixAttention({ ...gpu, matrixUnits: [] }, sizes)).toBeNull();
  expect(planMatrixAttention({ ...gpu, matrixUnits: [{ ...unit, input: "f32" }] }, sizes)).toBeNull();
});

test.each([
  [64, 24832],
  [128, 33024],
])(
  "Dawn compiles it for heads of %i, but for %i bytes of shared memory, which the plan knows",
  async (width, bytes) => {
    const nothing = await openNothing();
    const plan = planMatrixAttention({ ...gpu, maxSharedBytes: bytes }, { ...sizes, width });
    expect(planMatrixAttention({ ...gpu, maxSharedBytes: bytes - 1 }, { ...sizes, width })).toBeNull();
    for (const CAUSAL of [true, false])
      expect(await complaint(nothing, plan!.kernel, { ...plan!.constants, CAUSAL })).toMatch(
        RegExp(`^The total use of workgroup storage \\(${bytes} bytes\\) is larger`),
      );
    nothing.destroy();
  },
);

/** Random operands, with keys beyond those in use that must not be read. */
function make(given: Partial<AttentionCase>) {
  const c: AttentionCase = {
    batch: 2,
    queries: 70,
    length: 70,
    capacity: 75,
    heads: 2,
    groups: 1,
    width: 32,
    scale: 0.2,
    starts: [0, 9],
    ...given,
  };
  const keys = () =>
    normal(c.batch * c.capacity * c.groups * c.width).map((value, i) =>
      Math.floor(i / (c.groups * c.width)) % c.capacity >= c.length ? Number.NaN : value,
    );
  const values = { q: normal(c.batch * c.queries * c.heads * c.width), k: keys(), v: keys() };
  const tensors = () => {
    const of = (name: "q" | "k" | "v", rows: number, heads: number) =>
      device.tensor(values[name], [c.batch, rows, heads, c.width]);
    return [of("q", c.queries, c.heads), of("k", c.capacity, c.groups), of("v", c.capacity, c.groups)] as const;
  };
  const options = () => ({
    ...{ length: c.length, scale: c.scale, causal: c.causal ?? true },
    starts: device.tensor(c.starts as number[], [c.batch], "u32"),
  });
  return { c, values, tensors, options };
}

describe.runIf(software.f16)("with the units written out in WGSL", () => {
  test.each([
    ["causal, with padding", {}],
    ["on a cache", { queries: 17, length: 60, capacity: 75 }],
  ] as const)("it is near float64, %s", async (_, given) => {
    device.addKernel("attention_matrix", emulated(wgsl("attention_matrix")));
    Object.assign(device, { capabilities: gpu });
    const { c, values, tensors, options } = make(given);
    const { output, logSumExp } = mixedOps(ops).attentionForward(...tensors(), options());
    const expected = attentionReference(c, values.q, values.k, values.v);
    const rounded = await output.read();
    expectClose(rounded, expected.output, { atol: 6e-3, label: "output" });
    expect(rounded.some((value, i) => Math.abs(value - expected.output[i]!) > 2e-5)).toBe(true);
    expectClose(await logSumExp.read(), expected.logSumExp, { atol: 6e-3, label: "logSumExp" });
  });

  test("what f16 cannot hold is computed in f32", async () => {
    device.addKernel("attention_matrix", emulated(wgsl("attention_matrix")));
    Object.assign(device, { capabilities: gpu });
    const { c, values, tensors, options } = make({ starts: [0, 0] });
    values.v.fill(1e5, 0, c.width);
    const output = mixedOps(ops).attention(...tensors(), options());
    const expected = attentionReference(c, values.q, values.k, values.v);
    expectClose(await output.read(), expected.output, { atol: 6e-3, rtol: 1e-3 });
  });
});

test.runIf(software.f16)("without matrix units attention is that of f32", async () => {
  const { tensors, options } = make({});
  const [given, settings] = [tensors(), options()];
  const mixed = await mixedOps(ops)
    .attention(...given, settings)
    .read();
  expect(mixed).toEqual(await ops.attention(...given, settings).read());
});

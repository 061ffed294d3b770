import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { matmulReference } from "@lethe/testing/reference/matmul";
import { describe, expect, test } from "vitest";
import { attentionKey, matmulKey, rowKey, type Tuning } from "../src/gpu/tuning.ts";
import { ArgumentError, openDevice } from "../src/index.ts";
import { planAttention, planAttentionBackward } from "../src/ops/attention-plan.ts";
import { linear } from "../src/ops/matmul.ts";
import { matmulCandidates, planMatmul } from "../src/ops/matmul-plan.ts";
import { planRows } from "../src/ops/row-plan.ts";

const device = await testDevice();
const { capabilities, adapterName: adapter } = device;
const none: Tuning = { adapter, matmul: {}, attention: {}, attentionBackward: {}, rows: {} };

const product = {
  m: 37,
  n: 70,
  k: 300,
  batch: 1,
  transposeA: false,
  transposeB: true,
  dtype: "f32",
  aligned: true,
  alignedA: true,
} as const;
const key = matmulKey(product);

describe("a plan with a tuning", () => {
  const tunedFor = (tuning: Partial<Tuning>) => ({ ...capabilities, tuning: { ...none, ...tuning } });

  test("of products takes its kernel and rows, and only for sizes of the same powers of two", () => {
    const tuned = tunedFor({ matmul: { [key]: { kernel: "small", rows: 2 } } });
    expect(planMatmul(product, tuned)).toMatchObject({ kernel: "small", constants: { ROWS: 2 } });
    expect(planMatmul({ ...product, m: 64 }, tuned).kernel).toBe("small");
    for (const other of [{ m: 65 }, { transposeB: false }, { dtype: "bf16" }, { batch: 2 }] as const)
      expect(planMatmul({ ...product, ...other }, tuned)).toEqual(planMatmul({ ...product, ...other }, capabilities));
  });

  test("of products takes lanes of the tiled kernel", () => {
    const tuned = tunedFor({ matmul: { [key]: { kernel: "tiled", lanes: [2, 32] } } });
    const { constants, workgroups } = planMatmul(product, tuned);
    expect(constants).toMatchObject({ LANES_M: 2, LANES_N: 32 });
    expect(workgroups).toBe(Math.ceil(37 / 16) * Math.ceil(70 / 128));
  });

  test("leaves a forced kernel as it is", () => {
    const tuned = tunedFor({ matmul: { [key]: { kernel: "small", rows: 2 } } });
    expect(planMatmul(product, tuned, "plain")).toEqual(planMatmul(product, capabilities, "plain"));
  });

  test("of attention takes its family, forward and backward", () => {
    const sizes = { batch: 1, queries: 20, capacity: 40, length: 40, heads: 4, groups: 2, width: 64 };
    const [forward, backward] = [{ [attentionKey(sizes)]: "decode" }, { [attentionKey(sizes)]: "tile" }];
    const tuned = tunedFor({ attention: forward, attentionBackward: backward });
    expect(planAttention(tuned, sizes).kernel).toBe("attention_decode");
    expect(planAttentionBackward(tuned, sizes).q.kernel).toBe("attention_tile_backward_q");
    expect(planAttention(tuned, { ...sizes, width: 32 })).toEqual(planAttention(capabilities, { ...sizes, width: 32 }));
  });

  test("of rows takes its lanes", () => {
    const tuned = tunedFor({ rows: { [rowKey(1000)]: { LANES: 16, ROWS: 4 } } });
    expect(planRows(tuned, 600)).toEqual({ LANES: 16, ROWS: 4 });
    expect(planRows(tuned, 500)).toEqual(planRows(capabilities, 500));
  });
});

test.each(matmulCandidates(capabilities))("a product by %o is right", async (candidate) => {
  const { m, n, k } = product;
  const [x, weight] = [normal(m * k), normal(n * k)];
  const operands = [device.tensor(x, [m, k]), device.tensor(weight, [n, k])] as const;
  // As a device is that was opened with it; to open one for each would take long.
  Object.assign(device, { capabilities: { ...capabilities, tuning: { ...none, matmul: { [key]: candidate } } } });
  const out = await linear(...operands).read();
  Object.assign(device, { capabilities });
  expectClose(out, matmulReference(x, weight, { m, n, k, transposeB: true }), { atol: 3e-5 });
});

describe("openDevice refuses a tuning", () => {
  test.each([
    ["of another adapter", { ...none, adapter: "another" }, /made on "another" and this device is/],
    ["that is none", { matmul: {} }, /expected what a tuning file holds/],
    ["with a table missing", { adapter, matmul: {} }, /tuning.attention is missing; make it again/],
    [
      "with an unknown kernel",
      { ...none, matmul: { x: { kernel: "fast" } } },
      /tuning.matmul\["x"\] is {"kernel":"fast"}/,
    ],
    ["with half a row", { ...none, rows: { x: { LANES: 0, ROWS: 1 } } }, /tuning.rows\["x"\]/],
    ["with a backward that is none", { ...none, attentionBackward: { x: "decode" } }, /"decode", which this version/],
  ])("%s", async (_, tuning, message) => {
    const opened = openDevice({ tuning: tuning as unknown as Tuning });
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(ArgumentError);
  });
});

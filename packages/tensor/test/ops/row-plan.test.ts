import { expectClose } from "@lethe/testing/close";
import { integer, normal } from "@lethe/testing/random";
import { afterAll, expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { crossEntropy, crossEntropyBackward } from "../../src/ops/cross-entropy.ts";
import { layerNorm, rmsNormBackward } from "../../src/ops/norm.ts";
import { max, sumOfSquares } from "../../src/ops/reduce.ts";
import { planRows } from "../../src/ops/row-plan.ts";
import { topK } from "../../src/ops/select.ts";

// A plan for a GPU and one for a software adapter must give the same result; each runs on any adapter.
const software = await openDevice({ poison: true });
const gpu = await openDevice({ poison: true });
Object.assign(software.capabilities, { software: true });
Object.assign(gpu.capabilities, { software: false });
afterAll(() => {
  software.destroy();
  gpu.destroy();
});

test.each([true, false])("plans fill workgroups and stay within the adapter, software %s", (isSoftware) => {
  for (const maxWorkgroupSize of [256, 1024])
    for (const width of [1, 3, 31, 64, 100, 512, 513, 4096, 32_000, 200_000]) {
      const { LANES, ROWS } = planRows({ ...gpu.capabilities, software: isSoftware, maxWorkgroupSize }, 1000, width);
      expect(Number.isInteger(Math.log2(LANES))).toBe(true);
      expect(Number.isInteger(ROWS) && ROWS >= 1).toBe(true);
      expect(LANES * ROWS).toBeLessThanOrEqual(maxWorkgroupSize);
      if (!isSoftware) expect(LANES * ROWS).toBeGreaterThanOrEqual(128);
    }
});

test.each([
  [19, 5],
  [2, 1030],
  [2, 20_001],
  [19, 8],
  [3, 20_004],
])("%i rows of %i agree under both plans", async (rows, width) => {
  const [x, g] = [normal(rows * width, 2), normal(rows * width)];
  const weight = normal(width);
  const labels = Array.from({ length: rows }, (_, row) => (row === 1 ? -100 : integer(0, width - 1)));
  const run = async (device: typeof gpu) => {
    using _ = device.scope("run");
    const [input, gradient] = [device.tensor(x, [rows, width]), device.tensor(g, [rows, width])];
    const y = device.tensor(labels, [rows], "i32");
    const w = device.tensor(weight, [width]);
    const back = rmsNormBackward(input, w, gradient, { eps: 1e-5 });
    const floats = {
      layerNorm: layerNorm(input, w, w, { eps: 1e-5 }),
      "rmsNorm gradient": back.x,
      "rmsNorm weight gradient": back.weight!,
      crossEntropy: crossEntropy(input, y, { reduction: "mean" }),
      "crossEntropy gradient": crossEntropyBackward(input, y, device.tensor([3], []), { reduction: "mean" }),
      sumOfSquares: sumOfSquares(input),
    };
    const exact = { max: max(input), indices: topK(input, 3).indices };
    const read = async (named: object) =>
      Object.fromEntries(await Promise.all(Object.entries(named).map(async ([name, t]) => [name, await t.read()])));
    return { floats: await read(floats), exact: await read(exact) };
  };
  const [a, b] = [await run(software), await run(gpu)];
  for (const label in a.floats) expectClose(b.floats[label], a.floats[label], { label, atol: 2e-4 });
  expect(b.exact).toEqual(a.exact);
});

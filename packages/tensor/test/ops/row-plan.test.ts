import { expectClose } from "@lethe/testing/close";
import { integer, normal } from "@lethe/testing/random";
import { afterAll, expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { crossEntropy, crossEntropyBackward } from "../../src/ops/cross-entropy.ts";
import { add } from "../../src/ops/elementwise.ts";
import { cast, permute } from "../../src/ops/layout.ts";
import { mseBackward } from "../../src/ops/mse.ts";
import { layerNorm, rmsNormBackward } from "../../src/ops/norm.ts";
import { randomUniform } from "../../src/ops/random.ts";
import { max, sumOfSquares } from "../../src/ops/reduce.ts";
import { planRows } from "../../src/ops/row-plan.ts";
import { embedding, gatherRows, scatterRows } from "../../src/ops/rows.ts";
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
      const { LANES, ROWS } = planRows({ ...gpu.capabilities, software: isSoftware, maxWorkgroupSize }, width);
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

test.each([1030, 1032])("kernels over elements give the same bits under both plans, at rows of %i", async (width) => {
  const rows = 7;
  const values = normal(rows * width);
  const run = async (device: typeof gpu) => {
    using _ = device.scope("run");
    const x = device.tensor(values, [rows, width]);
    const ids = device.tensor([6, 2, 2, 0, 5], [5], "u32");
    const gathered = embedding(cast(x, { dtype: "bf16" }), ids);
    const outputs = {
      add: add(x, x),
      "add of a row": add(x, device.tensor(values.subarray(0, width), [width])),
      "add of a column": add(x, device.tensor(values.subarray(0, rows), [rows, 1])),
      permute: permute(x.reshape([rows, 2, width / 2]), { axes: [1, 0, 2] }),
      gathered,
      scattered: scatterRows(gathered, ids, { rows: 9 }),
      uniform: randomUniform(device, [rows, width], { seed: 5 }),
      mse: mseBackward(x, gatherRows(x, device.tensor([1, 0, 3, 2, 5, 4, 6], [7], "u32")), device.tensor([2], []), {
        reduction: "mean",
      }),
    };
    return Object.fromEntries(
      await Promise.all(Object.entries(outputs).map(async ([name, tensor]) => [name, await tensor.read()])),
    );
  };
  expect(await run(gpu)).toEqual(await run(software));
});

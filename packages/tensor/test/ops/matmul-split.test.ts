import { expectClose } from "@lethe/testing/close";
import { normal } from "@lethe/testing/random";
import { matmulReference } from "@lethe/testing/reference/matmul";
import { afterAll, expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { matmulWith } from "../../src/ops/matmul.ts";

// A binding of 512 bytes: two alignments, and 128 f32 values. Hardly any tensor fits it whole.
const device = await openDevice({ poison: true, maxBindingBytes: 512 });
afterAll(() => device.destroy());

const layouts = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

test.each(layouts)("operands that are too large to bind are multiplied in parts, %o", async (layout) => {
  for (const [kernel, dtype] of [
    ["plain", "f32"],
    [undefined, "bf16"],
  ] as const) {
    // One kernel for all parts: the planner would choose a variant for each size, and each variant takes time to compile.
    const [m, n, k] = [19, 21, 23];
    const a = device.tensor(normal(m * k), layout.transposeA ? [k, m] : [m, k], "f32", "a");
    const b = device.tensor(normal(k * n), layout.transposeB ? [n, k] : [k, n], dtype, "b");
    const before = device.dispatches;
    const out = matmulWith(kernel, a, b, layout);
    expect(device.dispatches - before).toBeGreaterThan(4);
    const expected = matmulReference(await a.read(), await b.read(), { m, n, k, ...layout });
    expectClose(await out.read(), expected, { label: dtype });
  }
});

test("a batch is cut between its products, and a single row of the output along its columns", async () => {
  const [a, b] = [device.tensor(normal(12 * 30), [12, 3, 10]), device.tensor(normal(12 * 50), [12, 10, 5])];
  const batched = matmulReference(await a.read(), await b.read(), { m: 3, n: 5, k: 10, batch: 12 });
  expectClose(await matmulWith(undefined, a, b).read(), batched);

  const [row, table] = [device.tensor(normal(6), [1, 6]), device.tensor(normal(6 * 301), [301, 6])];
  const logits = matmulReference(await row.read(), await table.read(), { m: 1, n: 301, k: 6, transposeB: true });
  expectClose(await matmulWith(undefined, row, table, { transposeB: true }).read(), logits);
});

test("operands that fit are multiplied in one dispatch", () => {
  const [a, b] = [device.empty([8, 8]), device.empty([8, 8])];
  const before = device.dispatches;
  const out = device.empty([8, 8]);
  const poison = device.dispatches - before;
  matmulWith(undefined, a, b);
  expect(device.dispatches - before).toBe(2 * poison + 1);
  out.dispose();
});

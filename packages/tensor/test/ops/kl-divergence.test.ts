import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal, random } from "@lethe/testing/random";
import { klDivergenceRows, reduceTokens } from "@lethe/testing/reference/losses";
import { describe, expect, test } from "vitest";
import { klDivergence, klDivergenceBackward } from "../../src/ops/kl-divergence.ts";
import type { Reduction } from "../../src/ops/ops.ts";

const device = await testDevice();

describe.each(["none", "sequence", "mean"] as Reduction[])("reduction %s", (reduction) => {
  test.each([
    [2, 5, 11],
    [1, 1, 1],
    [3, 7, 17],
    [3, 7, 20],
    [1, 3, 1003],
  ])("[%i, %i, %i] and its gradient", async (batch, tokens, width) => {
    const size = batch * tokens * width;
    const [reference, logits] = [normal(size, 2), normal(size, 2)];
    const labels = Array.from({ length: batch * tokens }, () => (random() < 0.3 ? -100 : 0));
    const f = (v: ArrayLike<number>) =>
      reduceTokens(klDivergenceRows(reference, v, labels, width), labels, reduction, tokens);
    const shape = [batch, tokens, width];
    const [p, q] = [device.tensor(reference, shape), device.tensor(logits, shape)];
    const y = device.tensor(labels, [batch, tokens], "i32");
    const loss = klDivergence(p, q, y, { reduction });
    const expected = f(logits);
    expectClose(await loss.read(), expected);
    const gradient = normal(expected.length);
    const slope = await klDivergenceBackward(p, q, y, device.tensor(gradient, loss.shape), { reduction }).read();
    expect(slope.every(Number.isFinite)).toBe(true);
    if (width < 100) expectClose(slope, finiteDifferences(f, [logits], gradient)[0]!);
  });
});

test("equal rows have a divergence of 0, and rows far apart that of their distance", async () => {
  const p = device.tensor([3, -1000, 5, 100, 0, 0], [2, 3]);
  const q = device.tensor([3, -1000, 5, 0, 100, 0], [2, 3]);
  const y = device.tensor([0, 0], [2], "i32");
  expectClose(await klDivergence(p, q, y, { reduction: "none" }).read(), [0, 100]);
});

test("rows that do not count have a loss and a gradient of 0, even with NaN in them", async () => {
  const p = device.tensor([Number.NaN, 1], [1, 2]);
  const y = device.tensor([-100], [1], "i32");
  expect(await klDivergence(p, p, y, { reduction: "mean" }).item()).toBe(0);
  const slope = await klDivergenceBackward(p, p, y, device.tensor([1], []), { reduction: "mean" }).read();
  expect([...slope]).toEqual([0, 0]);
});

import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { integer, normal, random } from "@lethe/testing/random";
import { crossEntropyRows, reduceTokens } from "@lethe/testing/reference/losses";
import { describe, expect, test } from "vitest";
import { crossEntropy, crossEntropyBackward } from "../../src/ops/cross-entropy.ts";
import type { Reduction } from "../../src/ops/ops.ts";

const device = await testDevice();
const labelsFor = (count: number, width: number, ignored = 0.3) =>
  Array.from({ length: count }, () => (random() < ignored ? -100 : integer(0, width - 1)));

describe.each(["none", "sequence", "mean"] as Reduction[])("reduction %s", (reduction) => {
  test.each([
    [2, 5, 11],
    [1, 1, 3],
    [3, 7, 64],
    [1, 3, 1003],
  ])("[%i, %i, %i] and its gradient", async (batch, tokens, width) => {
    const logits = normal(batch * tokens * width, 3);
    const labels = labelsFor(batch * tokens, width);
    const f = (v: Float64Array) => reduceTokens(crossEntropyRows(v, labels, width), labels, reduction, tokens);
    const expected = f(Float64Array.from(logits));
    const [x, y] = [device.tensor(logits, [batch, tokens, width]), device.tensor(labels, [batch, tokens], "i32")];
    const loss = crossEntropy(x, y, { reduction });
    expect(loss.shape).toEqual({ none: [batch, tokens], sequence: [batch], mean: [] }[reduction]);
    expectClose(await loss.read(), expected);
    const gradient = normal(expected.length);
    const back = await crossEntropyBackward(x, y, device.tensor(gradient, loss.shape), { reduction }).read();
    if (width > 100) return expect(back.every(Number.isFinite)).toBe(true);
    const [slope] = finiteDifferences(f, [logits], gradient);
    expectClose(back, slope!);
  });
});

test("a vocabulary-sized row, with its gradient in closed form", async () => {
  const width = 50_257;
  const logits = normal(2 * width, 4);
  const labels = [width - 1, 17];
  const [x, y] = [device.tensor(logits, [2, width]), device.tensor(labels, [2], "i32")];
  const losses = crossEntropyRows(logits, labels, width);
  expectClose(await crossEntropy(x, y, { reduction: "none" }).read(), losses);
  const back = await crossEntropyBackward(x, y, device.tensor([1, -2], [2]), { reduction: "none" }).read();
  const label = (row: number) => back[row * width + labels[row]!]!;
  expectClose([label(0), label(1)], [Math.exp(-losses[0]!) - 1, -2 * (Math.exp(-losses[1]!) - 1)]);
  // A row of the gradient sums to 0.
  expectClose([back.slice(0, width).reduce((a, b) => a + b, 0)], [0], { atol: 1e-4 });
});

test.each([64, 1003, 50_257])(
  "the gradient of a label that is nearly certain keeps its digits, with %i logits",
  async (width) => {
    const labels = [0, width - 1, integer(0, width - 1)];
    const logits = normal(labels.length * width);
    // About one part in a hundred, a thousand and a million is left to all others.
    for (const [row, label] of labels.entries()) logits[row * width + label] = Math.log(width) + [5, 7, 14][row]!;
    const [x, y] = [device.tensor(logits, [labels.length, width]), device.tensor(labels, [labels.length], "i32")];
    const back = await crossEntropyBackward(x, y, device.tensor([1, 1, 1], [3]), { reduction: "none" }).read();
    for (const [row, label] of labels.entries()) {
      const own = Array.from(logits.slice(row * width, (row + 1) * width), (logit) => Math.exp(logit));
      const others = own.reduce((sum, value, token) => (token === label ? sum : sum + value), 0);
      expectClose([back[row * width + label]!], [-others / (others + own[label]!)], { atol: 0 });
    }
  },
);

test("logits far apart stay exact", async () => {
  const x = device.tensor([1000, 0, -1000, 3e38, -3e38, 0, -1e30, -1e30, -1e30], [3, 3]);
  const y = device.tensor([1, 0, 2], [3], "i32");
  expectClose(await crossEntropy(x, y, { reduction: "none" }).read(), [1000, 0, Math.log(3)]);
});

test("only ignored tokens: loss and gradient are 0, whatever the logits", async () => {
  const x = device.tensor([Number.NaN, 1, 2, 3], [2, 2]);
  const y = device.tensor([-100, -100], [2], "i32");
  expect(await crossEntropy(x, y, { reduction: "mean" }).item()).toBe(0);
  const back = await crossEntropyBackward(x, y, device.tensor([1], []), { reduction: "mean" }).read();
  expect([...back]).toEqual([0, 0, 0, 0]);
});

test("a label outside the vocabulary and NaN logits show as NaN", async () => {
  const x = device.tensor([1, 2, 1, 2, 1, Number.NaN, 1, 2], [4, 2]);
  const y = device.tensor([2, -1, 0, 0], [4], "i32");
  const losses = await crossEntropy(x, y, { reduction: "none" }).read();
  expect([...losses].map(Number.isNaN)).toEqual([true, true, true, false]);
  const back = await crossEntropyBackward(x, y, device.tensor([1, 1, 1, 1], [4]), { reduction: "none" }).read();
  expect([...back].map(Number.isNaN)).toEqual([true, true, true, true, true, true, false, false]);
});

test("labels of another shape are refused", () => {
  const x = device.tensor(normal(12), [2, 3, 2]);
  expect(() => crossEntropy(x, device.tensor([0, 0], [2], "i32"), { reduction: "mean" })).toThrow(
    /crossEntropy: labels has shape \[2\] and must have \[2, 3\]/,
  );
});

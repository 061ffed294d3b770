import { type F32, mixedOps, type Ops, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { toHalf } from "@lethe/testing/half";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { AdamW, passOver, selectTrainable, Tape, tokenNll } from "../../src/index.ts";
import { gradientDistances } from "./gradient-distances.ts";

const device = await testDevice();

const texts = [
  [3, 9, 4, 17, 30, 12, 7, 22, 41],
  [8, 2, 40, 13, 50, 5, 19, 33, 26],
];

const rounded = ({ shape, data }: Array64) => array64(shape, data.map(toHalf)) as never;
const product = (a: Array64, b: Array64, options = {}) =>
  float64Ops.matmul(rounded(a), rounded(b), options) as unknown as Array64;

function pair(scale: number, ...shape: number[]): { tensor: F32; truth: Array64 } {
  const values = normal(
    shape.reduce((count, dim) => count * dim, 1),
    scale,
  );
  return { tensor: device.tensor(values, shape), truth: array64(shape, values) };
}

describe.runIf(device.capabilities.f16)("in mixed precision", () => {
  const mixed = mixedOps(ops);

  // The least normal number of f16 is 6e-5.
  test.each([1, 1e-9])(
    "gradients of products are float64 sums of rounded inputs, for a seed of order %d",
    async (scale) => {
      const [x, weight, seed] = [pair(1, 40, 33), pair(1, 37, 33), pair(scale, 40, 37)];
      for (const transposeB of [true, false]) {
        const w = transposeB ? weight : pair(1, 33, 37);
        using tape = new Tape(mixed);
        tape.watch([x.tensor, w.tensor]);
        const y = (transposeB ? tape.ops.linear(x.tensor, w.tensor) : tape.ops.matmul(x.tensor, w.tensor)) as F32;
        expectClose(await y.read(), product(x.truth, w.truth, { transposeB }).data);
        const gradients = tape.backward(y, { seed: seed.tensor });
        const close = async (tensor: F32, expected: Array64, label: string) =>
          expectClose(await gradients.get(tensor)!.read(), expected.data, { atol: 1e-5 * scale, label });
        await close(x.tensor, product(seed.truth, w.truth, { transposeB: !transposeB }), "gradient of x");
        const [first, second] = transposeB ? [seed.truth, x.truth] : [x.truth, seed.truth];
        await close(w.tensor, product(first, second, { transposeA: true }), "gradient of w");
      }
    },
  );

  test("a model's gradients are near those of f32, and not the same", async () => {
    using model = smallLlama(device, 2);
    for (const distance of await gradientDistances(model, texts, mixed)) {
      expect(distance).toBeGreaterThan(1e-6);
      expect(distance).toBeLessThan(0.01);
    }
  });

  test("over 30 steps of training the loss stays within a thousandth of f32's", async () => {
    const lossesIn = async (base: Ops) => {
      using model = smallLlama(device, 2);
      using _ = device.scope("training");
      const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
      using optimiser = new AdamW(selectTrainable(model.weights), settings);
      using tape = new Tape(base);
      tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
      const losses: number[] = [];
      for (let step = 0; step < 30; step++) {
        using _ = device.scope("step");
        const loss = device.scoped("forward", () => tokenNll(tape.ops, passOver(model, texts, { ops: tape.ops })));
        optimiser.update(tape.backward(loss), 0.01);
        losses.push(await loss.item());
      }
      return losses;
    };
    const [coarse, fine] = [await lossesIn(mixed), await lossesIn(ops)];
    expect(fine.at(-1)!).toBeLessThan(fine[0]! / 2);
    for (const [i, loss] of coarse.entries()) expect(Math.abs(loss / fine[i]! - 1)).toBeLessThan(0.001);
    expect(coarse).not.toEqual(fine);
  });
});

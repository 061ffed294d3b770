import { Hooks } from "@lethe/hooks";
import { type F32, type Ops, ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import {
  passOver,
  selectTrainable,
  sequenceNll,
  Tape,
  type TextPass,
  tokenNll,
  unlearn,
  unlearningMemory,
} from "../../src/index.ts";

const device = await testDevice();
/** So large that 32 MiB hold 32 rows of logits. */
const vocabulary = 200_003;
const model = smallLlama(device, 3, { vocab_size: vocabulary, num_hidden_layers: 1 });
const texts = [30, 9, 25].map((length) => Array.from({ length }, () => integer(0, vocabulary - 1)));
const counted = 29 + 8 + 24;
{
  using _ = device.scope("the rotary table, which the model keeps");
  passOver(model, texts).at("resid_post", 0);
}

type Loss = (ops: Ops, pass: TextPass) => F32;

/** Loss, gradients by weight, and the highest number of bytes in use on the way. */
function lossAndGradients(loss: Loss, hooks?: Hooks) {
  using _ = device.scope("test");
  using tape = new Tape(ops);
  tape.watch(selectTrainable(model.weights).map(({ parameter }) => parameter));
  const checkpoint = (x: F32, run: (x: F32) => F32) => tape.checkpoint(x, run);
  const before = device.memory().bytesInUse;
  device.pool.resetPeak();
  const options = { ops: tape.ops, checkpoint, ...(hooks && { hooks }) };
  const value = device.scoped("forward", () => loss(tape.ops, passOver(model, texts, options)));
  const gradients = tape.backward(value);
  const peak = device.memory().peakBytes - before;
  const kept = new Map([...gradients].map(([weight, gradient]) => [weight, gradient.retain()] as const));
  return { value: value.retain(), gradients: kept as Map<Tensor, F32>, peak };
}

const euclidean = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

const whole = (reduction: "mean" | "sequence"): Loss => {
  return (ops, pass) => ops.crossEntropy(pass.logits(), pass.labels, { reduction });
};
const sumOf =
  (loss: Loss): Loss =>
  (ops, pass) =>
    ops.sum(loss(ops, pass));

test.each([
  ["tokenNll", tokenNll, whole("mean")],
  ["the sum of sequenceNll", sumOf(sequenceNll), sumOf(whole("sequence"))],
])(
  "%s, with logits in blocks of columns, is that of whole logits, with its gradients, in less memory",
  async (_, loss, reference) => {
    const [inPieces, expected] = [lossAndGradients(loss), lossAndGradients(reference)];
    expectClose(await inPieces.value.read(), await expected.value.read());
    for (const [weight, gradient] of expected.gradients) {
      const found = inPieces.gradients.get(weight)!;
      const [values, wanted] = [await found.read(), await gradient.read()];
      // Both sum 200,003 products in f32, in orders of their own: an element that is small beside the others may differ in its fourth digit.
      const apart = values.map((value, i) => value - wanted[i]!);
      expect(euclidean(apart) / euclidean(wanted), weight.label).toBeLessThan(1e-5);
      found.dispose();
      gradient.dispose();
    }
    inPieces.value.dispose();
    expected.value.dispose();
    // Logits of all 90 positions and their gradient, against a block.
    const bytes = 4 * vocabulary;
    expect(expected.peak).toBeGreaterThan(2 * 90 * bytes);
    expect(inPieces.peak).toBeLessThan(2 * 48 * bytes + 2 * model.weights.get("model.embed_tokens.weight")!.bytes);
  },
);

test("pieces cover the positions that count, each once, in order; with hooks there is one piece", async () => {
  for (const hooks of [undefined, new Hooks().scale("logits", 0)]) {
    const seen: [number, number][] = [];
    using _ = device.scope("test");
    const pass = passOver(model, texts, hooks ? { hooks } : {});
    const likeliest = pass.perToken((logits, { labels, start, end }) => {
      expect(logits.shape).toEqual([end - start, vocabulary]);
      expect(labels.shape).toEqual([end - start]);
      seen.push([start, end]);
      return ops.crossEntropy(logits, labels, { reduction: "none" });
    });
    expect(seen).toEqual(hooks ? [[0, counted]] : [0, 32].map((start) => [start, Math.min(start + 32, counted)]));
    expect(likeliest.shape).toEqual([counted]);
    if (hooks) expectClose(await likeliest.read(), Array(counted).fill(Math.log(vocabulary)));
    const sequences = await pass.sequences.read();
    expect([...sequences]).toEqual([29, 8, 24].flatMap((count, sequence) => Array(count).fill(sequence)));
  }
});

const inPieces = ["graddiff", "graddiff+kl", "undial"];

test.each(inPieces)("the plan of training by %s with logits in pieces is its peak, within a fifth", async (method) => {
  using own = model.copyInF32();
  const how = {
    method,
    recipe: { learningRate: 1e-4, epochs: 1, warmupEpochs: 0, gradientAccumulation: 1 },
    ...{ forget: texts, retain: texts, seed: 0 },
  };
  // The plan does not know that a loss without divergences needs less than a piece of the logits and its gradient.
  const spared = method === "graddiff" ? 2 * 2 ** 25 - 2 ** 24 : 0;
  // The log-probabilities of the reference.
  const references = method === "graddiff" ? 0 : device.pool.sizeOf(4 * counted * vocabulary);
  const planned = unlearningMemory(own, how).reduce((sum, { bytes }) => sum + bytes, references);
  const before = device.memory().bytesInUse;
  device.pool.resetPeak();
  for await (const _ of unlearn(own, how));
  const peak = device.memory().peakBytes - before;
  expect((peak + spared) / planned).toBeGreaterThan(0.8);
  expect(peak / planned).toBeLessThan(1.2);
});

test("a text of one token has a loss of 0", async () => {
  using _ = device.scope("test");
  expect(await tokenNll(ops, passOver(model, [[5]])).item()).toBe(0);
});

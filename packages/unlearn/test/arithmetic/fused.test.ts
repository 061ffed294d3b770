import type { ForwardOptions } from "@lethe/decoder";
import { initLlama, type Llama } from "@lethe/llama";
import { type F32, type Ops, openDevice, ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { integer } from "@lethe/testing/random";
import { afterAll, expect, test } from "vitest";
import { AdamW, labelledBatch, selectTrainable, Tape, train } from "../../src/index.ts";

// Not poisoned: filling new buffers with NaN would be dispatches of its own.
const device = await openDevice();
afterAll(() => device.destroy());

/** The same operations by another object, which offers none fused. */
const plain: Ops = { ...ops };

/** The sizes of the main job's model. */
const tiny = {
  ...{ vocab_size: 97, hidden_size: 64, intermediate_size: 172, num_hidden_layers: 12 },
  ...{ num_attention_heads: 4, num_key_value_heads: 4 },
};
const texts = (sequences: number, length: number) =>
  Array.from({ length: sequences }, () => Array.from({ length }, () => integer(1, 96)));

interface StepOptions {
  readonly base?: Ops;
  readonly trained?: (name: string) => boolean;
  readonly checkpointed?: boolean;
  readonly into?: Map<Tensor, F32>;
}

/** Gradients of the mean loss of `examples`, by the tape's pass. */
function gradients(
  model: Llama,
  examples: ReturnType<typeof labelledBatch>,
  { base = ops, trained = () => true, checkpointed = false, into = new Map() }: StepOptions,
): Map<Tensor, F32> {
  using tape = new Tape(base);
  tape.watch([...model.weights].filter(([name]) => trained(name)).map(([, weight]) => weight));
  const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => (checkpointed ? tape.checkpoint(x, run) : run(x));
  const loss = device.scoped("forward", () => {
    const logits = model.forward(examples, { ops: tape.ops, wrapBlock });
    return tape.ops.crossEntropy(logits, examples.labels, { reduction: "mean" });
  });
  return tape.backward(loss, { into });
}

const cases: readonly (readonly [string, StepOptions])[] = [
  ["all weights", {}],
  ["all weights, checkpointed", { checkpointed: true }],
  ["keys alone", { trained: (name) => name.includes("k_proj") }],
  ["queries, up and norms", { trained: (name) => /q_proj|up_proj|norm/.test(name) }],
  ["the embedding alone", { trained: (name) => name.includes("embed_tokens") }],
];

test.each(cases)("a taped pass of fused operations has the gradients of plain ones: %s", async (_, options) => {
  using _scope = device.scope("test");
  using model = initLlama(device, { ...tiny, num_hidden_layers: 3, num_key_value_heads: 2 }, integer(0, 1e6));
  using examples = labelledBatch(device, texts(3, 7));
  const fused = gradients(model, examples, options);
  const expected = gradients(model, examples, { ...options, base: plain });
  expect([...fused.keys()]).toEqual([...expected.keys()]);
  for (const [weight, gradient] of expected)
    expectClose(await fused.get(weight)!.read(), await gradient.read(), {
      label: weight.label,
      atol: 1e-6,
      rtol: 1e-3,
    });
  // Once more, added to what is there.
  gradients(model, examples, { ...options, into: fused });
  for (const [weight, gradient] of expected) {
    const twice = (await gradient.read()).map((value) => 2 * value);
    expectClose(await fused.get(weight)!.read(), twice, { label: `twice ${weight.label}`, atol: 1e-6, rtol: 1e-3 });
  }
});

test("forward and backward of a training step take few dispatches", () => {
  using _scope = device.scope("test");
  using model = initLlama(device, tiny, 1);
  using examples = labelledBatch(device, texts(8, 40));
  gradients(model, examples, {});
  const before = device.dispatches;
  gradients(model, examples, {});
  expect(device.dispatches - before).toBeLessThanOrEqual(330);
});

test("a whole step of training takes few dispatches, the update and its norm among them", async () => {
  const model = initLlama(device, tiny, 1);
  using optimiser = new AdamW(selectTrainable(model.weights), {
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 },
  });
  const examples = labelledBatch(device, texts(8, 40));
  const loss = ({ ops }: Tape) => model.losses(examples, examples.labels, { ops, reduction: "mean" });
  const counts: number[] = [];
  const steps = Array.from({ length: 3 }, () => [{ name: "batch", loss }]);
  for await (const _ of train(device, { optimiser, schedule: () => 1e-3, steps, ahead: 0 }))
    counts.push(device.dispatches);
  model.dispose();
  examples.dispose();
  expect(counts[2]! - counts[1]!).toBeLessThanOrEqual(350);
});

test("a step of decoding takes few dispatches", async () => {
  using model = initLlama(device, tiny, 1);
  const prompts = texts(1, 4);
  const dispatchesOf = async (maxNewTokens: number) => {
    const before = device.dispatches;
    await model.generate(prompts, { maxNewTokens, stop: [] });
    return device.dispatches - before;
  };
  await dispatchesOf(3);
  const [few, more] = [await dispatchesOf(3), await dispatchesOf(13)];
  expect((more - few) / 10).toBeLessThanOrEqual(90);
});

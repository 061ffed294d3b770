import type { Tensor, Weight } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { inputs, lossOf, parameters, type Values } from "@lethe/testing/tiny-model";
import { expect, test } from "vitest";
import { AdamW, Lora, linearDecay, type MicroBatch, selectTrainable, type Trainable, train } from "../../src/index.ts";

const device = await testDevice();
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 };
const schedule = linearDecay({ peak: 0.02, warmupSteps: 4, totalSteps: 9 });
const [values, given] = [parameters(), inputs()];
const isMatrix = (name: string) => !name.endsWith("norm.weight");

function onDevice(record: Readonly<Record<string, Values>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(record).map(([name, { values, shape, dtype }]) => [name, device.tensor(values, shape, dtype, name)]),
  );
}

/** Weights as they are before training, and what is trained: low-rank updates, or the weights. */
function fresh(lowRank: boolean): { trainables: readonly Trainable[]; batch: MicroBatch } & Disposable {
  const [weights, batch] = [onDevice(values), onDevice(given)];
  const entries = Object.entries(weights) as [string, Weight][];
  const lora = lowRank ? new Lora(entries, { rank: 2, alpha: 3, seed: 1, accepts: isMatrix }) : null;
  return {
    trainables: lora?.trainables ?? selectTrainable(entries),
    batch: {
      name: "the batch",
      loss: (tape) => lossOf(lora?.over(tape.ops) ?? tape.ops, weights, batch as never),
    },
    [Symbol.dispose]: () => lora?.[Symbol.dispose](),
  };
}

test.each([
  ["weights", false],
  ["low-rank updates", true],
])("training of %s goes on from a saved state with the same bits", async (_, lowRank) => {
  /** Trains from a state up to a step, and gives the state there. */
  const trained = async (
    upTo: number,
    from = { steps: 0, tensors: new Map<string, Float32Array | Uint32Array | Int32Array>() },
  ) => {
    using run = fresh(lowRank);
    using optimiser = new AdamW(run.trainables, settings);
    for (const [name, saved] of from.tensors)
      device.writeBytes(optimiser.state().get(name)!, 0, new Uint8Array(saved.buffer as ArrayBuffer));
    optimiser.resume(from.steps);
    const losses = [];
    const steps = Array.from({ length: upTo - from.steps }, () => [run.batch]);
    for await (const { loss } of train(device, { optimiser, schedule, steps })) losses.push(loss);
    const tensors = new Map<string, Float32Array | Uint32Array | Int32Array>();
    for (const [name, tensor] of optimiser.state()) tensors.set(name, await tensor.read());
    return { steps: optimiser.steps, tensors, losses };
  };
  const whole = await trained(9);
  const half = await trained(3);
  const resumed = await trained(9, half);
  expect(resumed.tensors).toEqual(whole.tensors);
  expect([...half.losses, ...resumed.losses]).toEqual(whole.losses);
  expect([...whole.tensors.keys()].slice(0, 3)).toEqual(
    ["", ".exp_avg", ".exp_avg_sq"].map((kind) => {
      return `model.embed_tokens${lowRank ? ".lora_A" : ""}.weight${kind}`;
    }),
  );
});

test("two parameters of one name have no state that could be told apart", () => {
  const parameter = device.tensor([1, 2], [2], "f32", "w");
  using optimiser = new AdamW(
    [0, 1].map(() => ({ name: "w", parameter })),
    settings,
  );
  expect(() => optimiser.state()).toThrow("two tensors of its state are called w");
  expect(() => optimiser.resume(-1)).toThrow("AdamW.resume: ");
});

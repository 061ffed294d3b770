import { type F32, ops, type Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { inputs, lossOf, parameters, type Values } from "@lethe/testing/tiny-model";
import { expect, test, vi } from "vitest";
import { AdamW, linearDecay, Tape } from "../../src/index.ts";

const device = await testDevice();
const steps = 30;
const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
const rate = linearDecay({ peak: 0.02, warmupSteps: 5, totalSteps: steps });

const onDevice = (given: Readonly<Record<string, Values>>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(given).map(([name, { values, shape, dtype }]) => [name, device.tensor(values, shape, dtype, name)]),
  );

/** The bytes of token ids or labels. */
const bytesOf = ({ values, dtype }: Values) =>
  new Uint8Array((dtype === "u32" ? Uint32Array : Int32Array).from(values).buffer);

/** Trains on a batch a step; each step is recorded anew, or the first is replayed. Gives losses and weights. */
async function trained(
  initial: Readonly<Record<string, Values>>,
  batches: readonly ReturnType<typeof inputs>[],
  replayed: boolean,
) {
  using _ = device.scope("training");
  const weights = onDevice(initial) as Record<string, F32>;
  const given = onDevice(batches[0]!) as Parameters<typeof lossOf>[2];
  using optimiser = new AdamW(
    Object.entries(weights).map(([name, parameter]) => ({ name, parameter })),
    settings,
  );
  using tape = new Tape(ops);
  tape.watch(Object.values(weights));
  const passes = () => {
    const loss = device.scoped("forward", () => lossOf(tape.ops, weights, given));
    return { loss, gradients: tape.backward(loss) };
  };
  using recording = replayed ? device.record(passes) : null;
  const losses: number[] = [];
  const make = vi.spyOn(device.gpu, "createBindGroup");
  let madeLate = 0;
  for (const [step, { ids, labels }] of batches.entries()) {
    using _step = device.scope("step");
    device.writeBytes(given.ids, 0, bytesOf(ids));
    device.writeBytes(given.labels, 0, bytesOf(labels));
    recording?.replay();
    const { loss, gradients } = recording?.result ?? passes();
    optimiser.update(gradients, rate(step + 1));
    losses.push(await loss.item());
    if (step === 4) make.mockClear();
    madeLate = make.mock.calls.length;
  }
  make.mockRestore();
  const read = Object.entries(weights).map(async ([name, weight]) => [name, await weight.read()] as const);
  return { losses, weights: Object.fromEntries(await Promise.all(read)), madeLate };
}

test("thirty steps with other tokens and another learning rate each have the same bits when passes are replayed", async () => {
  const initial = parameters();
  const batches = Array.from({ length: steps }, inputs);
  const recorded = await trained(initial, batches, false);
  const replayed = await trained(initial, batches, true);
  expect(replayed.losses).toEqual(recorded.losses);
  expect(replayed.weights).toEqual(recorded.weights);
  expect(new Set(recorded.losses).size).toBe(steps);
  // No step makes bind groups once a few have been made.
  expect([recorded.madeLate, replayed.madeLate]).toEqual([0, 0]);
});

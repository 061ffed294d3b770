import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { describe, expect, test } from "vitest";
import {
  type Means,
  type Method,
  type SavedTraining,
  type StepRecord,
  type TrainingState,
  taskVector,
  type UnlearnOptions,
  unlearn,
} from "../../src/index.ts";

const device = await testDevice();
const texts = (base: number) =>
  Array.from({ length: 8 }, (_, i) => Array.from({ length: 5 + i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const recipe = { learningRate: 5e-3, epochs: 3, batchSize: 2, gradientAccumulation: 1, warmupEpochs: 1.5 };
const optionsOf = (means: Means & Pick<UnlearnOptions, "trains">, changes: object = {}): UnlearnOptions => ({
  ...means,
  recipe: { ...recipe, ...changes },
  forget: texts(2),
  retain: texts(28),
  seed: 3,
});

/** Copies a state to the host. What is restored from it goes into another model's tensors. */
async function copied({ tensors, ...state }: TrainingState): Promise<SavedTraining> {
  const values = new Map<string, Float32Array | Int32Array | Uint32Array>();
  for (const [name, tensor] of tensors) values.set(name, await tensor.read());
  return {
    ...JSON.parse(JSON.stringify(state)),
    async restore(into) {
      expect([...into.keys()]).toEqual([...values.keys()]);
      for (const [name, tensor] of into)
        tensor.device.writeBytes(tensor, 0, new Uint8Array(values.get(name)!.buffer as ArrayBuffer));
    },
  };
}

/** Unlearns a fresh model, and gives the epochs' records and the weights at the end. */
async function run(options: UnlearnOptions) {
  using model = smallLlama(device, 5, { num_hidden_layers: 2 });
  const epochs: StepRecord[][] = [];
  for await (const records of unlearn(model, options)) epochs.push(records);
  return { epochs, weights: await Promise.all([...model.weights.values()].map((weight) => weight.read())) };
}

/** The state after some steps, with which the run is killed. */
async function killedAfter(steps: number, options: UnlearnOptions): Promise<SavedTraining> {
  let asked = 0;
  let saved: SavedTraining | undefined;
  const due = () => ++asked === steps;
  const save = async (state: TrainingState) => {
    saved = await copied(state);
    throw new Error("killed");
  };
  await expect(run({ ...options, saving: { due, save } })).rejects.toThrow("killed");
  return saved!;
}

describe.each<[string, Parameters<typeof optionsOf>[0], object, number]>([
  ["Gradient Difference with a frozen reference", { method: "graddiff", options: { retain: "kl" } }, {}, 3],
  ["all value vectors", { method: "graddiff", trains: "W_V" }, {}, 3],
  ["one column", { method: "graddiff", trains: "needle:1.7" }, { gradientAccumulation: 3 }, 3],
  ["low-rank updates", { method: "graddiff", options: { retain: "kl" }, trains: "lora:2" }, {}, 3],
  ["low-rank updates before an edit", { method: taskVector, trains: "lora:2" }, { stepsPerEpoch: 3, steps: 8 }, 3],
  ["a method that edits the weights at the end", { method: taskVector }, { stepsPerEpoch: 3, steps: 8 }, 3],
  ["NPO, which stops early", { method: "npo", options: { beta: 2 } }, { epochs: 40, learningRate: 0.05 }, 39],
])("%s", (_, means, changes, mostEpochs) => {
  test("goes on from any step with the bits of an uninterrupted run", async () => {
    const options = optionsOf(means, changes);
    const whole = await run(options);
    expect(whole.epochs.length).toBeLessThanOrEqual(mostEpochs);
    const perEpoch = whole.epochs[0]!.length;
    const all = whole.epochs.flat().length;
    // Between two epochs, within an epoch and its warm-up, and before the last step.
    for (const steps of new Set([perEpoch, perEpoch + 1, all - 1])) {
      const from = await killedAfter(steps, options);
      expect(from.steps).toBe(steps);
      expect(from.records).toEqual(whole.epochs.flat().slice(steps - (steps % perEpoch), steps));
      const resumed = await run({ ...options, from });
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.epochs).toEqual(whole.epochs.slice(Math.floor(steps / perEpoch)));
    }
  });
});

test("saving changes no bit, and a resumed training can be saved and interrupted again", async () => {
  const options = optionsOf({ method: "npo" });
  const whole = await run(options);
  const counts: number[] = [];
  const always = { due: () => true, save: async ({ steps }: TrainingState) => void counts.push(steps) };
  expect(await run({ ...options, saving: always })).toEqual(whole);
  expect(counts).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
  const first = await killedAfter(2, options);
  const second = await killedAfter(3, { ...options, from: first });
  expect(second.steps).toBe(5);
  expect((await run({ ...options, from: second })).weights).toEqual(whole.weights);
});

test("a state of another training is refused", async () => {
  const options = optionsOf({ method: "npo" });
  const from = await killedAfter(5, options);
  await expect(run({ ...options, recipe: { ...recipe, epochs: 2 }, from })).rejects.toThrow(
    "from: it was saved at step 5 of 12 with 1 records of its epoch; this training has 8 steps, 4 in an epoch.",
  );
  const { objective: __, ...editing } = taskVector;
  await expect(run({ ...optionsOf({ method: editing as Method }), from })).rejects.toThrow("trains nothing");
});

import type { Llama } from "@lethe/llama";
import { OutOfMemoryError, openDevice, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  methodNamed,
  methods,
  type Objective,
  passOver,
  type StepRecord,
  type TrainingProgress,
  tokenNll,
  type UnlearnOptions,
  unlearn,
  unlearningMemory,
} from "../../src/index.ts";

const device = await testDevice();

// Texts of different lengths in two disjoint halves of the vocabulary.
const texts = (base: number) =>
  Array.from({ length: 6 }, (_, i) => Array.from({ length: 5 + i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const [forget, retain] = [texts(2), texts(28)];

type Changes = Partial<UnlearnOptions["recipe"]>;

function options(method: string, changes: Changes = {}) {
  const small = { epochs: 3, stepsPerEpoch: 2, batchSize: 3, gradientAccumulation: 1, checkpointing: false };
  return { method, recipe: { learningRate: 5e-3, ...small, ...changes }, forget, retain, seed: 3 };
}

async function nll(model: Llama, sequences: readonly number[][]): Promise<number> {
  using _ = device.scope("nll");
  return tokenNll(ops, passOver(model, sequences)).item();
}

async function run(given: UnlearnOptions) {
  using model = smallLlama(device, 5, { num_hidden_layers: 2 });
  const before = { forget: await nll(model, forget), retain: await nll(model, retain) };
  const epochs: StepRecord[][] = [];
  const inUse = device.memory().bytesInUse;
  for await (const records of unlearn(model, given)) epochs.push(records);
  expect(device.memory().bytesInUse, "bytes in use after unlearning").toBe(inUse);
  const after = { forget: await nll(model, forget), retain: await nll(model, retain) };
  const weights = await Promise.all([...model.weights.values()].map((weight) => weight.read()));
  return { before, after, epochs, weights };
}

// RMU does not: what it moves is tested in hook-points-and-edits.test.ts. To SimNPO the texts of an untrained model are forgotten already.
const forgetting = methods.map(({ name }) => name).filter((name) => name !== "rmu");
const special: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { simnpo: { delta: 5, forgetWeight: 1 } };

describe.each(forgetting)("%s", (method) => {
  test("makes the forget text less likely, and gives the same bits twice", async () => {
    const given = { ...options(method), preferred: retain, options: special[method] ?? {} };
    const [first, second] = [await run(given), await run(given)];
    expect(first.after.forget).toBeGreaterThan(first.before.forget + 0.1);
    expect(first.epochs.map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(first.epochs[0]![0]!.learningRate).toBe(0);
    expect(second.epochs).toEqual(first.epochs);
    expect(second.weights).toEqual(first.weights);
  });
});

test("ends after the steps that it is given, with the learning rate at the end of its fall", async () => {
  const { epochs } = await run(options("graddiff", { steps: 3 }));
  expect(epochs.map(({ length }) => length)).toEqual([2, 1]);
  expect(epochs.flat().map(({ learningRate }) => learningRate)).toEqual([0, 2.5e-3, 5e-3]);
  const short = await run(options("graddiff", { steps: 1, warmupEpochs: 0 }));
  expect(short.epochs.map(([step]) => step!.learningRate)).toEqual([5e-3]);
});

test.each(["nll", "kl"])("checkpointed blocks change no bit of Gradient Difference with %s", async (term) => {
  const given = (checkpointing: boolean) => ({ ...options("graddiff", { checkpointing }), options: { retain: term } });
  expect((await run(given(true))).weights).toEqual((await run(given(false))).weights);
});

test("Gradient Difference holds on to the retain text", async () => {
  const { before, after } = await run(options("graddiff"));
  expect(after.retain).toBeLessThan(before.retain);
});

test("NPO ends when its loss has fallen to 0", async () => {
  const { epochs } = await run({ ...options("npo", { epochs: 40, learningRate: 0.05 }), options: { beta: 2 } });
  expect(epochs.length).toBeLessThan(40);
  expect(epochs.at(-1)!.every(({ loss }) => loss < 1e-3)).toBe(true);
});

test("DPO pairs texts by index; where it prefers retain text, that is the retain text", async () => {
  const preferred = await run({ ...options("dpo"), preferred: retain });
  expect((await run(options("dpo+retain"))).weights).toEqual(preferred.weights);
  expect((await run({ ...options("dpo"), preferred: retain.toReversed() })).weights).not.toEqual(preferred.weights);
  await expect(run(options("dpo"))).rejects.toThrow("there is no preferred text");
});

test("NPO reads no retain text, and its forget text comes in the order that it has beside retain text", async () => {
  const { retain: _, ...alone } = options("npo");
  expect((await run(alone)).weights).toEqual((await run(options("npo"))).weights);
});

test("a text of one token changes nothing but what is counted as left out", async () => {
  const counts: object[] = [];
  const onLeftOut = (leftOut: object) => counts.push(leftOut);
  const given = { ...options("graddiff", { batchSize: 6 }), onLeftOut };
  // The batch of all the texts is the same set in another order, so the sums over it are too, up to rounding.
  const [alone, beside] = [await run(given), await run({ ...given, forget: [...forget, [7]] })];
  expect(counts).toEqual([{ forget: 1 }]);
  expectClose(
    beside.epochs.flat().map(({ loss }) => loss),
    alone.epochs.flat().map(({ loss }) => loss),
  );
});

test("trains with an objective of the caller's own", async () => {
  const { method: _, ...rest } = options("");
  const ascent: Objective<"forget"> = {
    reads: ["forget"],
    loss: (ops, { forget }) => ops.affine(tokenNll(ops, forget), { factor: -1 }),
  };
  const { before, after, epochs } = await run({ ...rest, objective: ascent });
  expect(after.forget).toBeGreaterThan(before.forget + 0.1);
  expect(epochs).toHaveLength(3);
});

test("says what is missing or wrong", async () => {
  using model = smallLlama(device, 5);
  const first = (changes: object) => unlearn(model, { ...options("graddiff"), ...changes }).next();
  await expect(first({ forget: [] })).rejects.toThrow("there is no forget text");
  await expect(first({ retain: undefined })).rejects.toThrow("there is no retain text");
  await expect(first({ retain: [[1], [3]] })).rejects.toThrow("none of the retain texts has two tokens or more");
  await expect(first({ method: "noo" })).rejects.toThrow('"npo" comes nearest');
  await expect(first({ options: { retainWeight: "much" } })).rejects.toThrow("graddiff: retainWeight: ");
  await expect(first({ options: { beta: 1 } })).rejects.toThrow('options of graddiff: Unrecognized key: "beta"');
  await expect(first({ recipe: { learningRate: 1e-3, epochs: 0 } })).rejects.toThrow("recipe: epochs: ");
  const own = (loss: Objective["loss"]) => first({ method: undefined, objective: { reads: ["forget"], loss } });
  await expect(own((_ops, { forget }) => forget.reference)).rejects.toThrow(
    "reference model on forget text, which its",
  );
  await expect(own((_ops, { retain }) => retain.logits())).rejects.toThrow("reads retain text, which its `reads`");
});

test("stops when it is told to, with the reason that it was given", async () => {
  using model = smallLlama(device, 5);
  const controller = new AbortController();
  const stop = new Error("enough");
  const steps: number[] = [];
  const onStep = ({ step }: StepRecord) => {
    steps.push(step);
    if (step === 3) controller.abort(stop);
  };
  const all = async () => {
    const run = unlearn(model, { ...options("npo", { epochs: 9 }), signal: controller.signal, onStep });
    for await (const _ of run);
  };
  await expect(all()).rejects.toBe(stop);
  expect(steps).toEqual([1, 2, 3]);
});

test("says after each batch how far the training is", async () => {
  using model = smallLlama(device, 5);
  const seen: TrainingProgress[] = [];
  const given = options("graddiff", { epochs: 2, stepsPerEpoch: 1, gradientAccumulation: 2 });
  for await (const _ of unlearn(model, { ...given, onMicroBatch: (progress) => seen.push(progress) }));
  expect(seen.map(({ done, of }) => [done, of])).toEqual([
    [0.5, 2],
    [1, 2],
    [1.5, 2],
    [2, 2],
  ]);
  // Three texts of each role, padded to the longest.
  for (const { tokens } of seen) expect(tokens).toBeGreaterThanOrEqual(2 * 3 * 7);
});

test("unlearning that does not fit says so before it starts", async () => {
  const small = await openDevice({ memoryBytes: 100_000 });
  onTestFinished(() => small.destroy());
  const model = smallLlama(small, 1);
  const before = small.dispatches;
  const error = await unlearn(model, options("npo"))
    .next()
    .catch((error) => error);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error.message).toMatch(
    /^unlearning llama needs [\d,]+ bytes .*\n {2}gradients .*\n {2}AdamW's first moments /,
  );
  expect(small.dispatches).toBe(before);
});

test.each([
  ["graddiff", false, {}],
  ["graddiff", true, {}],
  ["graddiff+kl", false, {}],
  ["dpo", false, {}],
  ["npo", false, {}],
  ["npo", true, {}],
  ["simnpo", false, {}],
  ["undial", false, {}],
  ["graddiff", false, { trains: "lora:4" }],
  ["graddiff", true, { trains: "lora:4" }],
] as const)(
  "the plan of %s is its peak of memory, and little more; checkpointing: %s, %j",
  async (method, checkpointing, more) => {
    using model = smallLlama(device, 5);
    const longer = (texts: number[][]) => texts.map((text) => Array(12).fill(text).flat());
    const given = {
      ...options(method, { checkpointing, epochs: 1 }),
      ...{ forget: longer(forget), retain: longer(retain), preferred: longer(retain) },
      ...more,
    };
    const planned = unlearningMemory(model, given).reduce((sum, { bytes }) => sum + bytes, 0);
    await nll(model, forget); // Makes the rotary table.
    const before = device.memory().bytesInUse;
    device.pool.resetPeak();
    for await (const _ of unlearn(model, given));
    const peak = device.memory().peakBytes - before;
    expect(peak).toBeLessThanOrEqual(planned);
    expect(peak).toBeGreaterThan(planned / 1.6);
  },
);

test("what the reference of an objective of your own gives is counted once the first batch has shown its size", async () => {
  const many = (base: number) => Array.from({ length: 60 }, (_, i) => texts(base)[i % 6]!);
  const { method: _, ...general } = options("graddiff+kl", { epochs: 1, stepsPerEpoch: null });
  const { reference, ...kl } = methodNamed("graddiff+kl").objective!(methodNamed("graddiff+kl").options.parse({}));
  const objective: Objective = { ...kl, reference: { retain: (...given) => reference!.retain!(...given) } };
  const given = { ...general, objective, forget: many(2), retain: many(28) };
  const refused = async (memoryBytes: number) => {
    const small = await openDevice({ memoryBytes });
    onTestFinished(() => small.destroy());
    const model = smallLlama(small, 5);
    const { bytesInUse } = small.memory();
    const run = unlearn(model, given).next();
    const error = await run.then(
      () => null,
      (reason) => reason,
    );
    if (error) expect(small.memory().bytesInUse).toBeLessThan(bytesInUse + 10_000); // The rotary table stays.
    return error;
  };
  using model = smallLlama(device, 5);
  const planned = unlearningMemory(model, given).reduce((sum, { bytes }) => sum + bytes, device.memory().bytesInUse);
  const references = 20 * 3 * 8 * 53 * 4;
  const error = await refused(planned + references / 2);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error.message).toMatch(/\n {2}what the reference model gives .*\n/);
  expect(await refused(planned + 2 * references)).toBeNull();
});

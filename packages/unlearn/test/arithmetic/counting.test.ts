import type { ForwardOptions } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { type Counts, countCalls, type Ops, openDevice, ops, type Tensor, wrapOps } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { afterAll, expect, test } from "vitest";
import { passOver, selectTrainable, Tape, tokenNll } from "../../src/index.ts";

// Not poisoned: filling new buffers with NaN would be dispatches of its own.
const device = await openDevice();
afterAll(() => device.destroy());
const model = smallLlama(device, 2, { num_hidden_layers: 2 });
const vanilla = smallLlama(device, 3, { num_hidden_layers: 2 });
const texts = [
  [3, 9, 4, 17, 30],
  [8, 2, 40],
];

/** Runs `work` with an `Ops` that adds up the dispatches made inside its calls, and compares them with all that were made. */
async function expectNothingElse(work: (measured: Ops) => unknown): Promise<Counts> {
  const counts: Counts = new Map();
  let inside = 0;
  const measured = wrapOps(ops, (_name, call) => (...operands) => {
    const before = device.dispatches;
    const result = call(...operands);
    inside += device.dispatches - before;
    return result;
  });
  const before = device.dispatches;
  await work(countCalls(measured, counts));
  expect(inside).toBeGreaterThan(0);
  expect(device.dispatches - before).toBe(inside);
  return counts;
}

function lossAndGradients(base: Ops, hooks: Hooks, checkpointed: boolean): Map<Tensor, Tensor> {
  using tape = new Tape(base);
  tape.watch(selectTrainable(model.weights).map(({ parameter }) => parameter));
  const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) => (checkpointed ? tape.checkpoint(x, run) : run(x));
  const loss = device.scoped("forward", () =>
    tokenNll(tape.ops, passOver(model, texts, { ops: tape.ops, hooks, wrapBlock })),
  );
  return tape.backward(loss);
}

test("a taped pass and its backward compute through the Ops under the tape alone", async () => {
  using _ = device.scope("test");
  const counts = await expectNothingElse((base) => lossAndGradients(base, new Hooks(), false));
  const forward = { linear: 14, attentionForward: 2, rope: 8, rmsNorm: 5, swiglu: 2, embedding: 1 };
  const backward = {
    matmul: 28,
    attentionBackward: 2,
    rmsNormBackward: 5,
    swigluBackward: 2,
    linearCrossEntropyForward: 1,
    linearCrossEntropyBackward: 1,
    // Of the embedding, and of the rows that count: the last block takes them of the mixed values and of the residual stream.
    scatterRows: 3,
  };
  expect(Object.fromEntries(counts)).toMatchObject({ ...forward, ...backward });
  expect(counts.has("attention")).toBe(false);
});

test("hooks, also one at the attention pattern, and checkpointed blocks compute through it alone", async () => {
  using _ = device.scope("test");
  using seen = new Captures();
  const hooks = new Hooks()
    .capture("pattern", seen)
    .restore("W_V", [0], vanilla)
    .scale("W_V", 0.5, { layers: [1] })
    .add("resid_mid", 0.25, { positions: [0, -1] });
  for (const checkpointed of [false, true]) {
    const counts = await expectNothingElse((base) => lossAndGradients(base, hooks, checkpointed));
    // A checkpointed block runs twice.
    expect(counts.get("attentionPattern")).toBe(checkpointed ? 4 : 2);
    expect(counts.get("softmaxBackward")).toBe(2);
  }
});

test("a hook at the attention pattern changes gradients only by rounding", async () => {
  using _ = device.scope("test");
  using seen = new Captures();
  const plain = lossAndGradients(ops, new Hooks(), false);
  const hooked = lossAndGradients(ops, new Hooks().capture("pattern", seen), false);
  expect(hooked.size).toBe(plain.size);
  for (const [parameter, gradient] of plain) {
    const [a, b] = [await gradient.read(), await hooked.get(parameter)!.read()];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-5);
  }
});

test.each([0, 0.8])(
  "generation with a KV cache, hooks and temperature %d computes through its Ops alone",
  async (temperature) => {
    let made: unknown;
    const options = { maxNewTokens: 4, stop: [], temperature, hooks: new Hooks().scale("m", 0.5) };
    const counts = await expectNothingElse(async (measured) => {
      made = await model.generate(texts, { ...options, ops: measured });
    });
    expect(Object.fromEntries(counts)).toMatchObject({ linear: 60, writeCache: 16, attention: 8, affine: 8 });
    expect(counts.get("topK") ?? 0).toBe(temperature === 0 ? 4 : 0);
    expect(made).toEqual(await model.generate(texts, options));
  },
);

import { ArgumentError, type F32, ops } from "@lethe/tensor";
import { expectRefusals, functionsIn, type Operation, valuesOn } from "@lethe/testing/arguments";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import * as exported from "../src/index.ts";

const device = await testDevice();
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
const weight = device.lasting([2, 2], "f32", "weight") as F32;
const optimiser = new exported.AdamW([{ name: "weight", parameter: weight }], settings);
const values = [...valuesOn(device), optimiser];

// `matrices` is a test of a parameter, which AdamW calls.
test.each(functionsIn(exported, ["matrices"]))("%s refuses every wrong argument", async (name, operation) => {
  const before = device.dispatches;
  await expectRefusals(name, operation, values);
  expect(device.dispatches).toBe(before);
});

test("an optimiser, updates of low rank and a tape refuse what they are not made for", () => {
  // Without types, as a caller from JavaScript.
  const { AdamW, Lora, Tape } = exported as unknown as Record<
    string,
    new (
      ...given: unknown[]
    ) => Record<string, Operation>
  >;
  const lora = { rank: 1, alpha: 1, seed: 0, accepts: () => true };
  using made = new Lora!([["a", weight]], lora) as unknown as Disposable & Record<string, Operation>;
  const tape = new Tape!(ops);
  const adamw = optimiser as unknown as Record<string, Operation>;
  const cases: [() => unknown, string][] = [
    [() => new AdamW!("weight", settings), 'AdamW: trainables is "weight"; expected an array'],
    [
      () => new AdamW!([], { ...settings, beta2: 1 }),
      "AdamW: settings.beta2 is 1; expected a number from 0 to below 1",
    ],
    [() => new AdamW!([], { ...settings, epsilon: 0 }), "AdamW: settings.epsilon is 0"],
    [
      () => new AdamW!([], { ...settings, clipnorm: 1 }),
      "AdamW: settings.clipnorm is not an option; expected an object of",
    ],
    [() => new AdamW!([], { ...settings, decays: true }), "AdamW: settings.decays is true; expected a function"],
    [() => adamw.update!({}, 1), "AdamW.update: gradients is an Object; expected a Map"],
    [() => adamw.update!(new Map(), Number.NaN), "AdamW.update: learningRate is NaN"],
    [() => new Lora!(3, lora), "Lora: weights is 3; expected an array, or anything else"],
    [() => new Lora!([], { ...lora, seed: "x" }), 'Lora: settings.seed is "x"; expected a whole number'],
    [() => new Lora!([], { ...lora, accepts: "all" }), 'Lora: settings.accepts is "all"; expected a function'],
    [() => new Lora!([], { ...lora, dropout: 0.1 }), "Lora: settings.dropout is not an option"],
    [() => made.over!(), "Lora.over: ops is missing"],
    [() => new Tape!(), "Tape: base is missing"],
    [() => tape.watch!(7), "watch: parameters is 7"],
    [() => tape.watch!(["weight"]), 'watch: "weight" is not a tensor'],
    [() => tape.checkpoint!(weight), "checkpoint: run is missing; expected a function"],
    [() => tape.backward!("loss"), 'backward: loss is "loss"; expected a Tensor'],
    [() => tape.backward!(weight, { seeds: weight }), "backward: options.seeds is not an option"],
  ];
  for (const [call, message] of cases) {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  }
});

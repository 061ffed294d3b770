import { streamModel } from "@lethe/auto";
import * as autograd from "@lethe/autograd";
import { expectRefusals, functionsIn, type Operation, valuesOn } from "@lethe/testing/arguments";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { savedFolder } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import * as exported from "../src/index.ts";

const device = await testDevice();
const model = smallLlama(device, 1);
const streamed = await streamModel(device, await savedFolder(await model.files()), { tokenizer: null });
const values = [...valuesOn(device), model, streamed];

test.each(functionsIn(exported, Object.keys(autograd)))("%s refuses every wrong argument", async (name, operation) => {
  const before = device.dispatches;
  await expectRefusals(name, operation, values);
  expect(device.dispatches).toBe(before);
});

// Without types, as a caller from JavaScript.
const { answerRows, gradientDifference, npo, unlearn } = exported as unknown as Record<string, Operation> & {
  gradientDifference: { objective: Operation };
  npo: { objective: Operation };
};

test("a choice that does not exist is an error, and never another choice", () => {
  const cases: [() => unknown, string][] = [
    [() => gradientDifference.objective({ retain: "mse" }), "options of graddiff: retain: "],
    [() => npo.objective({ beta: -1 }), "options of npo: beta: "],
    [() => answerRows!([], 1, "papr"), 'alignment is "papr"; expected one of paper, released'],
  ];
  for (const [call, message] of cases) expect(call).toThrow(message);
});

test.each<[string, object, string]>([
  ["a method and an objective", { method: "npo", objective: {} }, "and not both"],
  ["neither", {}, "give a method or an objective"],
  ["an objective that reads nothing", { objective: { reads: [], loss() {} } }, "objective is an Object; expected"],
  [
    "one that reads what there is not",
    { objective: { reads: ["forgot"], loss() {} } },
    "a list of forget, retain, preferred",
  ],
  ["one that reads a text twice", { objective: { reads: ["forget", "forget"], loss() {} } }, "each once"],
  [
    "one with a field that there is not",
    { objective: { reads: ["forget"], refrence: { forget() {} }, loss() {} } },
    "an object of reads, reference, loss",
  ],
  [
    "an objective with a method's options",
    { objective: { reads: ["forget"], loss() {} }, options: { beta: 1 } },
    "options belong to a method",
  ],
  ["an objective by a name", { objective: "simnpo" }, 'objective is "simnpo"; expected an object'],
  ["a recipe by a name", { method: "npo", recipe: "simnpo" }, 'recipe is "simnpo"; expected an object'],
  ["a method in the recipe", { method: "npo", recipe: { learningRate: 1, epochs: 1, method: "ga" } }, '"method"'],
  ["a method that there is not", { method: "simpno" }, 'no method "simpno"; "simnpo" comes nearest'],
  ["a method of a name that every object has", { method: "constructor" }, 'no method "constructor"'],
  ["a misspelt objective", { objektive: { reads: ["forget"], loss() {} } }, "objektive is not an option"],
  ["a misspelt objective beside a method", { method: "npo", objektive: {} }, "objektive is not an option"],
  ["a method with a misspelt field", { method: { ...exported.npo, objektive() {} } }, "name, title, source"],
  ["a method whose options are no schema", { method: { ...exported.npo, options: {} } }, "options a zod schema"],
  [
    "one that compares texts that it does not read",
    { objective: { reads: ["forget"], reference: { retain() {} }, loss() {} } },
    "its reference has no other roles",
  ],
  ["a method that changes nothing", { method: { ...exported.npo, objective: undefined } }, "no objective and no edit"],
])("unlearn refuses %s", async (_, means, message) => {
  const given = { recipe: { learningRate: 1e-3, epochs: 1 }, forget: [[1, 2]], retain: [[3, 4]], seed: 0, ...means };
  const before = device.dispatches;
  const run = async () => {
    for await (const _ of unlearn!(model, given) as AsyncGenerator);
  };
  await expect(run()).rejects.toThrow(message);
  expect(device.dispatches, "nothing else is trained instead").toBe(before);
});

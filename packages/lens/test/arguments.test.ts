import { expectRefusals, functionsIn, valuesOn } from "@lethe/testing/arguments";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { expect, test } from "vitest";
import * as exported from "../src/index.ts";

const device = await testDevice();
const model = smallLlama(device, 1);
const values = [...valuesOn(device), model];

test.each(functionsIn(exported))("%s refuses every wrong argument", async (name, operation) => {
  const before = device.dispatches;
  await expectRefusals(name, operation, values);
  expect(device.dispatches).toBe(before);
});

import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { ShapeError } from "../src/index.ts";

const device = await testDevice();

test("shape, size, bytes and label", () => {
  const tensor = device.empty([2, 3], "bf16", "weight");
  expect(tensor).toMatchObject({ shape: [2, 3], dtype: "bf16", label: "weight", size: 6, bytes: 12, released: false });
  expect(device.empty([3], "f16").bytes).toBe(8);
  expect(device.empty([], "f32").size).toBe(1);
  expect(tensor.device).toBe(device);
});

test("a reshaped view shares the numbers and outlives the tensor it was made from", async () => {
  const tensor = device.tensor([1, 2, 3, 4], [4]);
  const view = tensor.reshape([2, 2]);
  tensor.dispose();
  expect([...(await view.read())]).toEqual([1, 2, 3, 4]);
  expect(() => view.reshape([3])).toThrow(ShapeError);
  expect(() => view.reshape([-2, -2])).toThrow("reshape: shape is [-2, -2]; expected a shape");
});

test("a retained handle belongs to no scope", async () => {
  const scope = device.scope("inner");
  const handle = device.tensor([7], [1]).retain();
  scope[Symbol.dispose]();
  expect(await handle.item()).toBe(7);
  handle.dispose();
  expect(handle.released).toBe(true);
});

test("using releases at the end of its block", () => {
  const before = device.memory().bytesInUse;
  {
    using tensor = device.empty([100]);
    expect(tensor.released).toBe(false);
  }
  expect(device.memory().bytesInUse).toBe(before);
});

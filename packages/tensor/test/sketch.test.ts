import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { castInto, full, ops, sketchDevice } from "../src/index.ts";

const device = await testDevice();

test("a sketch has the capabilities that it is given, and those of a large GPU else", () => {
  const { maxBindingBytes, bindingAlignment, subgroups } = sketchDevice({ maxBindingBytes: 4096 }).capabilities;
  expect([maxBindingBytes, bindingAlignment, subgroups]).toEqual([4096, 256, { min: 32, max: 32 }]);
  const alike = sketchDevice(device.capabilities).capabilities;
  const { timestamps: _, matrixUnits: __, ...others } = device.capabilities;
  expect(alike).toMatchObject(others);
});

test("work on a sketch takes the bytes that it takes on its device, and reads as zeros", async () => {
  const sketch = sketchDevice(device.capabilities);
  const peaks = [];
  for (const on of [device, sketch]) {
    on.pool.resetPeak();
    const before = on.memory().bytesInUse;
    using lasting = on.lasting([300, 70], "bf16", "weight");
    using _ = on.scope("work");
    castInto(lasting, full(on, [300, 70], 3));
    const y = ops.linear(on.tensor(Array(5 * 70).fill(1), [5, 70]), lasting);
    const values = await ops.softmax(y).read();
    expect(values).toHaveLength(5 * 300);
    if (on === sketch) expect(new Set(values)).toEqual(new Set([0]));
    peaks.push(on.memory().peakBytes - before);
  }
  expect(peaks[1]).toBe(peaks[0]);
});

test("a sketch holds more than any machine, and a buffer of any size that it may have", () => {
  const sketch = sketchDevice();
  using huge = sketch.lasting([2 ** 38], "f32", "a terabyte");
  expect(sketch.memory().bytesInUse).toBe(huge.bytes);
  expect(sketch.freeBytes()).toBe(Number.POSITIVE_INFINITY);
  expect(() => sketch.lasting([2 ** 38 + 1], "f32", "more")).toThrow(/needs one buffer of/);
});

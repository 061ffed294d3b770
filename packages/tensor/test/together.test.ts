import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { bytesTogether, follows, joined, openDevice, stretch, together } from "../src/index.ts";

const device = await testDevice();
const { bindingAlignment } = device.capabilities;
const parts = (...shapes: number[][]) => shapes.map((shape, i) => ({ shape, label: `part ${i}` }));

test("tensors of any shapes lie one after another in one buffer, in the bytes that are foretold", () => {
  const groups = parts([3, 5], [7], [], [64, 2]).map((part) => [part]);
  const before = device.memory().bytesInUse;
  const made = together(device, groups, "f32");
  const foretold = bytesTogether(device, groups, "f32");
  expect(device.memory().bytesInUse - before).toBe(foretold.reduce((sum, bytes) => sum + bytes, 0));
  expect(made.map(({ shape, label }) => ({ shape, label }))).toEqual(groups.flat());
  for (const [i, tensor] of made.entries()) {
    expect(tensor.storage.offset % bindingAlignment).toBe(0);
    if (i > 0) expect(follows(made[i - 1]!, tensor)).toBe(true);
  }
  expect(follows(made[0]!, made[2]!)).toBe(false);
  for (const tensor of made) tensor.dispose();
  expect(device.memory().bytesInUse).toBe(before);
});

test("a stretch reaches from one tensor's begin to another's end, and keeps the buffer", async () => {
  const made = together(
    device,
    parts([5], [bindingAlignment / 4], [2]).map((part) => [part]),
    "f32",
  );
  const write = (at: number, ...values: number[]) =>
    device.writeBytes(made[at]!, 0, new Uint8Array(Float32Array.from(values).buffer));
  write(1, 1, 2);
  write(2, 3, 4);
  const whole = stretch(made[1]!, made[2]!);
  for (const tensor of made) tensor.dispose();
  expect(whole.size).toBe(bindingAlignment / 4 + 2);
  const values = await whole.read();
  expect([...values.slice(0, 2), ...values.slice(-2)]).toEqual([1, 2, 3, 4]);
  whole.dispose();
});

test("no buffer is larger than a binding, but for one tensor, and a group is cut only where it must be", async () => {
  const own = await openDevice({ maxBindingBytes: 4 * bindingAlignment });
  const row = bindingAlignment / 4;
  const [a, b, c, d, e, f, g] = parts([row], [2, row], [2, row], [5, row], [1], [3, row], [3, row]);
  const made = together(own, [[a!], [b!, c!], [d!], [e!], [f!, g!]], "f32");
  const buffers = made.map(({ storage }) => storage.buffer);
  expect(buffers.map((buffer) => buffers.indexOf(buffer))).toEqual([0, 1, 1, 3, 4, 4, 6]);
  expect(joined([made[1]!, made[2]!])?.shape).toEqual([4, row]);
  own.destroy();
});

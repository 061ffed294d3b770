import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { openDevice } from "../src/index.ts";

const device = await testDevice();

test("a freed buffer is lent again to a tensor of about its size", () => {
  const first = device.empty([1000]);
  const { gpu } = first.storage.buffer;
  first.dispose();
  const second = device.empty([990]);
  expect(second.storage.buffer.gpu).toBe(gpu);
  const third = device.empty([1000]);
  expect(third.storage.buffer.gpu).not.toBe(gpu);
});

test("repeated work gets the same buffers, in whatever order it gave them back", () => {
  const work = (order: readonly number[]) => {
    const tensors = order.map(() => device.empty([3000]));
    const buffers = tensors.map(({ storage }) => storage.buffer.id);
    for (const i of order) tensors[i]!.dispose();
    return buffers;
  };
  const buffers = work([2, 0, 3, 1]);
  expect(work([1, 3, 0, 2])).toEqual(buffers);
  expect(work([0, 1, 2, 3])).toEqual(buffers);
});

test("a buffer comes back when the last of its views is released", () => {
  const before = device.memory().bytesInUse;
  const tensor = device.empty([10]);
  const view = tensor.reshape([2, 5]);
  const retained = tensor.retain();
  tensor.dispose();
  view.dispose();
  expect(device.memory().bytesInUse).toBeGreaterThan(before);
  retained.dispose();
  expect(device.memory().bytesInUse).toBe(before);
});

test("sizes are rounded up by a quarter at most", () => {
  for (const elements of [65, 100, 1000, 12_345, 100_001]) {
    const { bytes } = device.empty([elements]).storage.buffer;
    expect(bytes).toBeGreaterThanOrEqual(elements * 4);
    expect(bytes).toBeLessThanOrEqual(Math.max(256, elements * 4 * 1.25));
  }
});

test("the report lists live buffers by label, and the peak", async () => {
  const own = await openDevice();
  const a = own.empty([64], "f32", "weights");
  own.empty([64], "f32", "weights");
  const b = own.empty([1000], "f32", "activations");
  const { live, bytesInUse, peakBytes } = own.memory();
  expect(live.get("weights")).toEqual({ count: 2, bytes: 512 });
  expect(live.get("activations")?.count).toBe(1);
  expect(bytesInUse).toBe(512 + b.storage.buffer.bytes);
  expect(peakBytes).toBe(bytesInUse);

  const { bytes } = b.storage.buffer;
  b.dispose();
  expect(own.memory()).toMatchObject({ bytesInUse: 512, peakBytes: 512 + bytes, bytesPooled: bytes });
  own.pool.resetPeak();
  expect(own.memory().peakBytes).toBe(512);
  expect(own.memory().live.has("activations")).toBe(false);

  own.trim();
  expect(own.memory().bytesPooled).toBe(0);
  expect((await a.read()).length).toBe(64);
  own.destroy();
});

test("trim waits for recorded work", async () => {
  const own = await openDevice();
  const x = own.tensor([1, 2, 3], [3]);
  const out = own.empty([3]);
  own.copyBytes(x, 0, out, 0, 12);
  x.dispose();
  own.trim();
  expect([...(await out.read())]).toEqual([1, 2, 3]);
  own.destroy();
});

test("poison reaches every byte, even where one binding cannot hold them all", async () => {
  const own = await openDevice({ poison: true, maxBindingBytes: 1024 });
  const values = await own.empty([1001]).read();
  expect(values.every(Number.isNaN)).toBe(true);
  own.destroy();
});

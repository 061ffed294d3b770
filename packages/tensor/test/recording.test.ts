import { normal } from "@lethe/testing/random";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  add,
  affine,
  type Device,
  type F32,
  full,
  LetheError,
  linear,
  mul,
  openDevice,
  ReleasedError,
} from "../src/index.ts";

async function ownDevice(options = {}): Promise<Device> {
  const own = await openDevice(options);
  onTestFinished(() => own.destroy());
  return own;
}

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** Some layers, with many intermediate tensors that lend each other their buffers, and a constant that the work uploads. */
function layers(device: Device, x: F32, weight: F32): F32 {
  return device.scoped("layers", () => {
    let state = x;
    for (let i = 0; i < 6; i++)
      state = device.scoped("layer", () => {
        const scale = device.tensor([1 + i / 8], [1]);
        return affine(mul(linear(state, weight), add(state, scale)), { factor: 0.5, offset: i });
      });
    return state;
  });
}

test("a replay does the same work on what the buffers hold now, to the last bit", async () => {
  const own = await ownDevice({ poison: true });
  const weight = own.tensor(normal(64 * 64, 0.05), [64, 64]);
  const [given, x] = [own.empty([5, 64]), own.empty([5, 64])];
  const recording = own.record(() => layers(own, x, weight));
  for (let round = 0; round < 3; round++) {
    const values = normal(5 * 64);
    own.writeBytes(given, 0, bytesOf([...values]));
    own.writeBytes(x, 0, bytesOf([...values]));
    const expected = layers(own, given, weight);
    recording.replay();
    // Other work in between takes no buffer of the recording.
    using _noise = full(own, [5, 64], round);
    expect(await recording.result.read()).toEqual(await expected.read());
    expected.dispose();
  }
});

test("copies and uploads inside the work are done again, too", async () => {
  const own = await ownDevice();
  const [x, copy] = [own.tensor([1, 2], [2]), own.tensor([0, 0], [2])];
  const recording = own.record(() => {
    own.copyBytes(x, 0, copy, 0, 8);
    own.writeBytes(x, 0, bytesOf([7, 8]));
    return add(copy, x);
  });
  expect([...(await recording.result.read())]).toEqual([8, 10]);
  own.writeBytes(x, 0, bytesOf([3, 4]));
  recording.replay();
  expect([...(await recording.result.read())]).toEqual([10, 12]);
});

test("a replay makes nothing on the device, and its buffers come back when the recording is disposed of", async () => {
  const own = await ownDevice();
  const weight = own.tensor(normal(64 * 64, 0.05), [64, 64]);
  const x = own.tensor(normal(5 * 64), [5, 64]);
  const before = own.memory().bytesInUse;
  const recording = own.record(() => layers(own, x, weight));
  expect(own.memory().live.get("recording")!.count).toBeGreaterThan(0);
  recording.replay();
  const made = (["createBuffer", "createBindGroup", "createComputePipeline"] as const).map((name) =>
    vi.spyOn(own.gpu, name),
  );
  for (let i = 0; i < 10; i++) recording.replay();
  await own.idle();
  for (const make of made) expect(make).not.toHaveBeenCalled();
  recording.result.dispose();
  own.trim();
  recording.replay();
  recording.dispose();
  expect(own.memory().bytesInUse).toBe(before);
  expect(() => recording.replay()).toThrow(ReleasedError);
});

test("two recordings may share buffers, and a tensor may outlive both", async () => {
  const own = await ownDevice();
  const x = own.tensor([1, 2], [2]);
  const before = own.memory().bytesInUse;
  const first = own.record(() => affine(x, { factor: 2 }));
  const second = own.record(() => affine(first.result, { offset: 1 }));
  first.dispose();
  second.replay();
  second.dispose();
  expect([...(await first.result.read())]).toEqual([2, 4]);
  expect([...(await second.result.read())]).toEqual([3, 5]);
  first.result.dispose();
  second.result.dispose();
  expect(own.memory().bytesInUse).toBe(before);
});

test("reading and recording inside a recording are errors, after which the device goes on", async () => {
  const own = await ownDevice();
  const x = own.tensor([1, 2], [2]);
  let read: Promise<unknown> = Promise.resolve();
  own.record(() => {
    read = x.read();
  });
  await expect(read).rejects.toThrow(/tensor was read inside `record`/);
  expect(() => own.record(() => own.record(() => {}))).toThrow(LetheError);
  expect([...(await x.read())]).toEqual([1, 2]);
});

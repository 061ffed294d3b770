import { expect, onTestFinished, test, vi } from "vitest";
import { type Device, describeMemory, full, OutOfMemoryError, openDevice } from "../src/index.ts";

async function ownDevice(): Promise<Device> {
  const own = await openDevice();
  onTestFinished(() => own.destroy());
  return own;
}

/** Runs a kernel on parts of one buffer, each of which needs a bind group of its own. */
function partsOf(device: Device, count: number) {
  const tensor = device.lasting([64 * count], "f32", "parts");
  const run = (part: number, bits = 0) =>
    device.dispatch({
      kernel: "fill",
      bindings: { out: { tensor, offset: 256 * part, size: 256 } },
      params: { count: 64, bits },
      workgroups: [1, 1, 1],
    });
  return { run, tensor };
}

test("bind groups without end are an error where nothing is waited for, and a wait makes room", async () => {
  const own = await ownDevice();
  const { run, tensor } = partsOf(own, 50_000);
  let part = 0;
  const runAll = () => {
    for (; part < 50_000; part++) run(part, 7);
  };
  expect(runAll).toThrow(OutOfMemoryError);
  expect(runAll).toThrow(/fill: the driver holds \d+ bind groups for recorded work.* `await device\.ready\(\)`/);
  expect(part).toBeGreaterThan(20_000);
  await own.idle();
  runAll();
  expect((await tensor.read()).length).toBe(50_000 * 64);
  const { alive, cached } = own.memory().bindGroups;
  expect(cached).toBeLessThan(17_000);
  expect(alive).toBeGreaterThanOrEqual(cached);
});

test("where it is waited for, few more bind groups are alive than are kept, and those in use are kept", async () => {
  const own = await ownDevice();
  const { run } = partsOf(own, 50_000);
  for (let part = 0; part < 50_000; part++) {
    run(part);
    run(0);
    if (part % 500 === 0) await own.ready();
    expect(own.memory().bindGroups.alive).toBeLessThan(30_000);
  }
  const make = vi.spyOn(own.gpu, "createBindGroup");
  for (let part = 49_000; part < 50_000; part++) run(part);
  run(0);
  expect(make).not.toHaveBeenCalled();
});

test("free buffers of sizes that come no more are destroyed, with their bind groups; those in use come back", async () => {
  const own = await ownDevice();
  const some = () => {
    for (let i = 0; i < 8; i++) full(own, [1000 + i], 0).dispose();
  };
  const large = Array.from({ length: 11 }, (_, i) => Math.round(200_000 * 1.25 ** i));
  for (const elements of large) full(own, [elements], 0).dispose();
  const before = own.memory();
  for (let i = 0; i < 1000; i++) some();
  await own.ready();
  const after = own.memory();
  expect(before.bytesPooled).toBeGreaterThan(2e7);
  expect(after.bytesPooled).toBeLessThan(2 ** 24 + 2 ** 22);
  expect(after.buffers.pooled).toBeLessThan(before.buffers.pooled);
  expect(after.bindGroups.cached).toBeLessThan(before.bindGroups.cached + 8);
  const make = vi.spyOn(own.gpu, "createBuffer");
  some();
  expect(make).not.toHaveBeenCalled();
  expect(await full(own, [250_000], 3).read()).toEqual(new Float32Array(250_000).fill(3));
});

test("what the driver refuses at once is an error of its kind", async () => {
  const own = await ownDevice();
  vi.spyOn(own.gpu, "createBuffer").mockImplementation(() => {
    throw new Error("mmap failed");
  });
  expect(() => own.empty([1000], "f32", "cache")).toThrow(OutOfMemoryError);
  expect(() => own.empty([1000], "f32", "cache")).toThrow(/no memory for cache .*mmap failed/);
});

test("a report fits one line", async () => {
  const own = await ownDevice();
  full(own, [10], 1);
  expect(describeMemory({ ...own.memory(), mappings: 700 })).toBe(
    "0.0 MB in 1 buffers (peak 0.0 MB), 0.0 MB in 0 free ones, 1 bind groups (1 kept), 1 pipelines, 0 batches in flight and 0 held back, 700 memory mappings",
  );
});

import { totalmem } from "node:os";
import { testDevice } from "@lethe/testing/device";
import { expect, onTestFinished, test, vi } from "vitest";
import { OutOfMemoryError, openDevice, requireMemory } from "../src/index.ts";

const device = await testDevice();

async function deviceOf(memoryBytes: number) {
  const own = await openDevice({ memoryBytes });
  onTestFinished(() => own.destroy());
  return own;
}

test("a lasting tensor belongs to no scope, and its buffer is as small as possible", () => {
  const scope = device.scope("inner");
  const before = device.memory().bytesInUse;
  const weight = device.lasting([1000, 33], "bf16", "weight");
  scope[Symbol.dispose]();
  expect(device.memory().bytesInUse - before).toBe(66_000);
  expect(device.pool.sizeOf(66_000)).toBeGreaterThan(66_000);
  weight.dispose();
  expect(device.memory().bytesInUse).toBe(before);
});

test("free bytes are the stated bytes without those in use; pooled bytes are free", async () => {
  const own = await deviceOf(10_000);
  const a = own.lasting([1000], "f32", "a");
  expect(own.freeBytes()).toBe(6000);
  a.dispose();
  expect(own.memory().bytesPooled).toBe(4000);
  expect(own.freeBytes()).toBe(10_000);
});

test("the environment can state a device's memory, and anything but a number is an error", async () => {
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  vi.stubEnv("LETHE_MEMORY_BYTES", "24e3");
  const own = await openDevice();
  onTestFinished(() => own.destroy());
  expect(own.freeBytes()).toBe(24_000);
  expect((await deviceOf(10_000)).freeBytes()).toBe(10_000);
  vi.stubEnv("LETHE_MEMORY_BYTES", "24 GB");
  await expect(openDevice()).rejects.toThrow('LETHE_MEMORY_BYTES is "24 GB"; expected a number of bytes, such as 24e9');
});

test("a software adapter has the free memory of the machine, and that of a GPU is not known", () => {
  const free = device.freeBytes();
  if (!device.capabilities.software) return expect(free).toBeNull();
  expect(free).toBeGreaterThan(2 ** 20);
  expect(free).toBeLessThan(totalmem());
});

test("enough memory is no error, and the pool gives back its own", async () => {
  const own = await deviceOf(10_000);
  own.lasting([1000], "f32", "a").dispose();
  requireMemory(own, "x", [{ part: "weights", name: "w", bytes: 10_000 }], "Buy more.");
  expect(own.memory().bytesPooled).toBe(0);
});

test("too little memory is an error with the bytes needed, by part, and the bytes there are", async () => {
  const own = await deviceOf(3 * 2 ** 20);
  own.lasting([100], "f32", "in use");
  const needs = [
    { part: "weights", name: "a", bytes: 2 ** 20 },
    { part: "gradients", name: "a", bytes: 2 ** 20 },
    { part: "weights", name: "b", bytes: 2 ** 20 },
    { part: "norms", name: "c", bytes: 1000 },
  ];
  const act = () => requireMemory(own, "training", needs, "Take a shorter text.");
  expect(act).toThrow(
    new OutOfMemoryError(
      [
        `training needs 3,146,728 bytes (3.0 MiB) of memory, and ${own.adapterName} has 3,145,328 bytes (3.0 MiB) to offer.`,
        "  weights    2,097,152 bytes (2.0 MiB)",
        "  gradients  1,048,576 bytes (1.0 MiB)",
        "  norms      1,000 bytes",
        "Take a shorter text. Take a smaller model, or another adapter.",
      ].join("\n"),
    ),
  );
});

test("a buffer larger than the adapter allows is an error that names it", async () => {
  const own = await deviceOf(2 ** 50);
  const { maxBufferBytes } = own.capabilities;
  const needs = [
    { part: "norms", name: "norm.weight", bytes: 1000 },
    { part: "unembedding", name: "lm_head.weight", bytes: maxBufferBytes + 1 },
  ];
  const act = () => requireMemory(own, "x", needs, "");
  expect(act).toThrow(OutOfMemoryError);
  expect(act).toThrow(`lm_head.weight (unembedding)  ${(maxBufferBytes + 1).toLocaleString("en-US")} bytes`);
  expect(act).not.toThrow("norm.weight");
});

import { setTimeout } from "node:timers/promises";
import { normal } from "@lethe/testing/random";
import { expect, onTestFinished, test } from "vitest";
import { affine, type Device, DeviceLostError, type F32, linear, openDevice } from "../src/index.ts";

async function ownDevice(): Promise<Device> {
  const own = await openDevice();
  onTestFinished(() => own.destroy());
  return own;
}

/** More work than may be in flight at first: products that depend on each other. */
function longWork(device: Device, products = 300): F32 {
  const weight = device.lasting([64, 64], "f32", "weight");
  device.writeBytes(weight, 0, new Uint8Array(Float32Array.from(normal(64 * 64, 0.01)).buffer));
  let x = weight.retain() as F32;
  for (let i = 0; i < products; i++) {
    const next = linear(x, weight) as F32;
    x.dispose();
    x = next;
  }
  return x;
}

test("uploads and trimming keep their place between batches that are held back", async () => {
  const own = await ownDevice();
  const result = longWork(own);
  const x = own.tensor([1, 2], [2]);
  const before = affine(x, { factor: 10 });
  const bytes = new Uint8Array(Float32Array.of(3, 4).buffer);
  own.writeBytes(x, 0, bytes);
  bytes.fill(0);
  const after = affine(x, { factor: 10 });
  own.empty([5000]).dispose();
  own.trim();
  x.dispose();
  own.trim();
  expect([...(await before.read())]).toEqual([10, 20]);
  expect([...(await after.read())]).toEqual([30, 40]);
  expect((await result.read()).every(Number.isFinite)).toBe(true);
});

test("the device is ready when no work is held back, and each wait is short where there is little", async () => {
  const own = await ownDevice();
  await own.ready();
  longWork(own);
  await own.ready();
  expect(own.memory().batches.held).toBe(0);
  await own.idle();
  await setTimeout(0);
  expect(own.memory().batches).toEqual({ inFlight: 0, held: 0 });
});

test("waiting ends at once when it is aborted, and the device goes on", async () => {
  const own = await ownDevice();
  const result = longWork(own, 1000);
  const reason = new Error("enough");
  await expect(own.ready(AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = own.ready(controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect((await result.read()).length).toBe(64 * 64);
});

test("closing a device drops what has not begun; reads that wait fail, heard or not", async () => {
  const own = await ownDevice();
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  onTestFinished(() => void process.off("unhandledRejection", listen));
  const result = longWork(own, 5000);
  result.read();
  const heard = expect(result.read()).rejects.toThrow(DeviceLostError);
  const ready = expect(own.ready()).rejects.toThrow(DeviceLostError);
  await setTimeout(20);
  own.destroy();
  await Promise.all([heard, ready]);
  await expect(own.ready()).rejects.toThrow(DeviceLostError);
  await setTimeout(10);
  expect(unhandled).toEqual([]);
});

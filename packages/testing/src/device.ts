import { type Device, openDevice, type Scope } from "@lethe/tensor";
import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { watchBounds } from "./bounds.ts";

/**
 * One poisoned device for a test file: every buffer starts as NaN, so a kernel that skips an element fails. Each test runs in a
 * scope of its own and must give back every byte that it took. With `LETHE_BOUNDS=1` in the environment, the file fails when a kernel goes
 * past the end of an array.
 */
export async function testDevice(): Promise<Device> {
  const device = await openDevice({ poison: true });
  const checkBounds = process.env.LETHE_BOUNDS ? watchBounds(device) : undefined;
  let scope: Scope;
  let before = 0;
  beforeEach(() => {
    before = device.memory().bytesInUse;
    scope = device.scope("test");
  });
  afterEach(() => {
    scope[Symbol.dispose]();
    expect(device.memory().bytesInUse, "bytes in use after the test").toBe(before);
  });
  afterAll(async () => {
    await checkBounds?.();
    device.destroy();
  });
  return device;
}

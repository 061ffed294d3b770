import { expect, test } from "vitest";
import { patiently } from "../src/gpu/patience.ts";

test("setImmediate waits for the clock while the device is awaited, and is itself again afterwards", async () => {
  const prompt = globalThis.setImmediate;
  let finish = (_: number) => {};
  const wait = patiently(new Promise<number>((resolve) => (finish = resolve)));
  const other = patiently(Promise.resolve("sooner"));
  expect(globalThis.setImmediate).not.toBe(prompt);
  expect(await other).toBe("sooner");
  expect(globalThis.setImmediate).not.toBe(prompt);
  const called = new Promise((resolve) => setImmediate(resolve, "called"));
  expect(await called).toBe("called");
  finish(3);
  expect(await wait).toBe(3);
  expect(globalThis.setImmediate).toBe(prompt);
  await expect(patiently(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  expect(globalThis.setImmediate).toBe(prompt);
});

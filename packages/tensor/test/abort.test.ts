import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { unlessAborted } from "../src/abort.ts";

const never = () => new Promise<never>(() => {});

test("all who wait on a signal hear of it, and it has one listener for them", async () => {
  const controller = new AbortController();
  const waits = Array.from({ length: 30 }, () => unlessAborted(never(), controller.signal));
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  controller.abort(new Error("enough"));
  const ends = await Promise.allSettled(waits);
  expect(ends.map((end) => end.status === "rejected" && end.reason)).toEqual(waits.map(() => controller.signal.reason));
});

test("a promise that comes first is the result, and one that fails first the error", async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve(3), signal)).toBe(3);
  await expect(unlessAborted(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
});

test("a signal that is aborted already ends the wait at once", async () => {
  await expect(unlessAborted(never(), AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
});

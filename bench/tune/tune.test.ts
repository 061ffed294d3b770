import { openDevice } from "@lethe/tensor";
import { expect, test } from "vitest";
import { tune } from "./run.ts";
import { better, fastest } from "./winner.ts";

const trial = (candidate: string, median: number, low = median) => ({
  candidate,
  times: { median, low, high: median },
});

test("a candidate wins by the margin in the median, and in three of four rounds", () => {
  expect(better({ median: 1.05, low: 1.01, high: 1.1 })).toBe(true);
  expect(better({ median: 1.04, low: 1.03, high: 1.1 })).toBe(false);
  expect(better({ median: 1.3, low: 0.99, high: 1.6 })).toBe(false);
});

test("the fastest of those that win is chosen, and none where none wins", () => {
  const trials = [trial("a", 1.2), trial("b", 1.5, 0.9), trial("c", 1.3)];
  expect(fastest(trials)!.candidate).toBe("c");
  expect(fastest([trial("a", 0.8)])).toBeUndefined();
});

test("what tuning writes opens a device", async () => {
  const device = await openDevice();
  const before = device.memory().bytesInUse;
  const tuning = await tune(device, { filter: "attention 64 queries", large: false });
  expect(device.memory().bytesInUse).toBe(before);
  expect(device.capabilities.tuning).toBeUndefined();
  device.destroy();
  const tuned = await openDevice({ tuning: JSON.parse(JSON.stringify(tuning)) });
  expect(tuned.capabilities.tuning).toEqual(tuning);
  tuned.destroy();
});

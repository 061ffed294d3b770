import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDevice } from "@lethe/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { comparisons, resultOf, type Subject, subjectAt } from "./compare.ts";

const golden = fileURLToPath(new URL("golden", import.meta.url));
// Every buffer starts as NaN, so that a kernel that skips an element fails.
const device = await openDevice({ poison: true });
afterAll(() => device.destroy());

describe.each(readdirSync(golden))("%s", (name) => {
  const directory = `${golden}/${name}`;
  const hasShards = existsSync(`${directory}/sharded`);
  let subject: Subject;
  beforeAll(async () => {
    subject = await subjectAt(device, directory);
  });
  afterEach(() => expect(device.memory().bytesInUse, "bytes in use after the test").toBe(0));

  test.each(comparisons.filter(({ what }) => what !== "sharded" || hasShards))("$what", async (comparison) => {
    const { ok, error, where } = await resultOf(comparison, subject);
    expect(ok, `${error} at ${where}, tolerance ${comparison.tolerance}`).toBe(true);
  });
});

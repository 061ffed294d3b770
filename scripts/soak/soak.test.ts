import { openDevice } from "@lethe/tensor";
import { expect, test } from "vitest";
import { soak } from "./soak.ts";

test("thousands of tensor shapes through forward, backward and AdamW stay under the bounds of all that a driver pays for", async () => {
  const device = await openDevice();
  try {
    for await (const { batches, loss, memory } of soak(device, { seed: 1, longest: 100, batchesInStep: 24 })) {
      expect(Number.isFinite(loss)).toBe(true);
      expect(memory.bindGroups.cached).toBeLessThanOrEqual(16_384);
      expect(memory.bindGroups.alive).toBeLessThan(32_768);
      expect(memory.mappings ?? 0).toBeLessThan(40_960);
      expect(memory.bytesPooled).toBeLessThan(2 ** 26);
      expect(memory.pipelines).toBeLessThan(200);
      expect(memory.batches.inFlight).toBeLessThanOrEqual(32);
      if (batches >= 240) break;
    }
    expect(device.memory().bytesInUse).toBe(0);
  } finally {
    device.destroy();
  }
});

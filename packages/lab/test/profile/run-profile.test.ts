import { ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import type { CellRunner } from "../../src/cells/run-cells.ts";
import { RunProfile } from "../../src/commands/experiment/run-profile.ts";
import { DispatchLog } from "../../src/profile/kernel-costs.ts";

const device = await testDevice();

/** Products of `[4, 32]` and `[32, 16]`, and as many sums. */
function work(products: number): void {
  using _scope = device.scope("work");
  const [a, b] = [device.tensor(new Float32Array(4 * 32), [4, 32]), device.tensor(new Float32Array(32 * 16), [32, 16])];
  for (let i = 0; i < products; i++) {
    const c = ops.matmul(a, b);
    ops.add(c, c);
  }
}

test("counts each kernel by stage, times it, and leaves the device as it was", async () => {
  await device.idle();
  const { bytesInUse } = device.memory();
  using log = new DispatchLog(device);
  log.stage = "first";
  work(1);
  log.stage = "second";
  work(3);
  const costs = await log.costs({ seconds: 1e-4, mostRounds: 1 });
  work(1);
  const counts = (stage: string) => {
    const own = costs.filter((cost) => cost.stage === stage);
    return {
      products: own.filter(({ flops }) => flops > 0).reduce((sum, { count }) => sum + count, 0),
      sums: own.filter(({ kernel }) => kernel === "binary").map(({ count }) => count),
    };
  };
  expect(counts("first")).toEqual({ products: 1, sums: [1] });
  expect(counts("second")).toEqual({ products: 3, sums: [3] });
  expect(costs.find(({ flops }) => flops > 0)!.flops).toBe(2 * 4 * 32 * 16);
  expect(costs.every(({ seconds }) => seconds > 0)).toBe(true);
  expect(device.memory().bytesInUse).toBe(bytesInUse);
});

test("the profile of a run has its stages, their kernels and a line for each", async () => {
  const profile = new RunProfile({ watchWork: () => new DispatchLog(device) } as CellRunner);
  work(1);
  profile.enter("answering");
  work(2);
  const { profile: made, lines } = await profile.finish();
  expect(made).toMatchObject({
    all: { stage: "all", dispatches: expect.any(Number), matmul: { share: expect.any(Number) } },
    stages: [{ stage: "starting" }, { stage: "answering", kernels: expect.any(Array) }],
  });
  expect(lines.slice(1, 4).map((line) => line.split(" ")[0])).toEqual(["starting", "answering", "all"]);
});

/** `npm run soak`: trains on ever other shapes, and says what the device holds meanwhile; see {@link soak}. */
import { describeMemory, openDevice } from "@lethe/tensor";
import { commandLine, number, runCommand } from "../../packages/lab/src/commands/command-line.ts";
import { soak } from "./soak.ts";

const reportEvery = 30_000;

async function main({ minutes, seed }: { readonly minutes: number; readonly seed: number }): Promise<void> {
  const device = await openDevice();
  console.log(`${device.adapterName}, for ${minutes} minutes, seed ${seed}`);
  const start = performance.now();
  const most = { mappings: 0, alive: 0, pooled: 0 };
  let reported = -reportEvery;
  for await (const { batches, loss, memory } of soak(device, { seed, longest: 320, batchesInStep: 24 })) {
    most.mappings = Math.max(most.mappings, memory.mappings ?? 0);
    most.alive = Math.max(most.alive, memory.bindGroups.alive);
    most.pooled = Math.max(most.pooled, memory.bytesPooled);
    const passed = performance.now() - start;
    const last = passed >= minutes * 60_000;
    if (last || passed - reported >= reportEvery) {
      reported = passed;
      const resident = `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB resident`;
      console.log(
        `${(passed / 1000).toFixed(0)} s, ${batches} batches, loss ${loss.toFixed(3)}: ${describeMemory(memory)}, ${resident}`,
      );
    }
    if (last) break;
  }
  console.log(
    `at most ${most.mappings} mappings, ${most.alive} bind groups, ${(most.pooled / 1e6).toFixed(1)} MB of free buffers`,
  );
  device.destroy();
}

await runCommand(
  commandLine("soak", "Trains on batches of ever other shapes, and says what the device holds meanwhile.")
    .option("--minutes <minutes>", "how long", number, 60)
    .option("--seed <seed>", "draws the same shapes again", number, 1)
    .action(main),
);

import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { AdapterError, ArgumentError, type Device, LetheError, openDevice } from "../src/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** What a process holds, once the garbage is collected. */
async function held() {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await turn();
  }
  return {
    threads: readdirSync("/proc/self/task").length,
    openFiles: readdirSync("/proc/self/fd").length,
    mappings: readFileSync("/proc/self/maps", "utf8").split("\n").length,
    bytes: process.memoryUsage.rss(),
  };
}

/** Ends the device while it works. Each promise that waits for it must be rejected. */
async function endWhileBusy(device: Device, end: () => void): Promise<void> {
  const waits = [device.tensor([1], [1]).read(), device.idle()];
  end();
  const answers = (await Promise.allSettled(waits)).map((answer) => answer.status === "rejected" && answer.reason.name);
  expect(answers).toEqual(["DeviceLostError", "DeviceLostError"]);
}

const lives: Record<string, (device: Device) => Promise<void>> = {
  "destroyed after a read": async (device) => {
    await device.tensor([1], [1]).read();
    device.destroy();
  },
  "destroyed while it works": (device) => endWhileBusy(device, () => device.destroy()),
  "lost while it works": (device) => endWhileBusy(device, () => device.gpu.destroy()),
};

describe.runIf(process.platform === "linux").each(Object.entries(lives))("a device %s", (_, live) => {
  test("leaves nothing behind", async () => {
    const devices: WeakRef<Device>[] = [];
    const openAndClose = async (times: number) => {
      for (let i = 0; i < times; i++) {
        const device = await openDevice();
        devices.push(new WeakRef(device));
        await live(device);
      }
    };
    await openAndClose(20);
    // A leak grows in every round. What the engine's heap and the allocator do grows in some.
    const times = 20;
    const rounds = [await held()];
    for (let round = 0; round < 4; round++) {
      await openAndClose(times);
      rounds.push(await held());
    }
    const growth = (kind: keyof (typeof rounds)[number]) =>
      Math.min(...rounds.slice(1).map((after, i) => (after[kind] - rounds[i]![kind]) / times));
    for (const kind of ["threads", "openFiles", "mappings"] as const)
      expect(growth(kind), `${kind} for each device`).toBeLessThan(0.5);
    expect(growth("bytes"), "bytes for each device").toBeLessThan(2 ** 20);
    // The last one may still be in a register or on the stack.
    expect(devices.filter((device) => device.deref()).length, "devices in memory").toBeLessThanOrEqual(1);
  });
});

describe("openDevice", () => {
  test("says what the adapter refused", async () => {
    (await openDevice()).destroy(); // now GPUAdapter is defined
    const refused = vi.spyOn(GPUAdapter.prototype, "requestDevice").mockRejectedValue(new Error("no such feature"));
    await expect(openDevice()).rejects.toThrow(/^the adapter .+ refused to open a device: Error: no such feature$/);
    await expect(openDevice()).rejects.toThrow(LetheError);
    refused.mockRestore();
  });

  test("checks its options, and names them apart from the environment", async () => {
    const open = openDevice as (...given: unknown[]) => Promise<Device>;
    await expect(open({ adapter: "fast" })).rejects.toThrow(
      'openDevice: options.adapter is "fast"; expected one of best, swiftshader',
    );
    await expect(open({ memoryBytes: "24e9" })).rejects.toThrow(ArgumentError);
    await expect(open({ memory: 24e9 })).rejects.toThrow("openDevice: options.memory is not an option");
    vi.stubEnv("LETHE_ADAPTER", "fast");
    await expect(open()).rejects.toThrow(
      new AdapterError('LETHE_ADAPTER is "fast"; it can be "best" or "swiftshader"'),
    );
    vi.unstubAllEnvs();
  });
});

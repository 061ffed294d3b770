import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Capabilities, openDevice } from "@lethe/tensor";
import { expect, test } from "vitest";
import { allCases } from "./cases/index.ts";
import { openYardsticks } from "./roofline.ts";

/** A GPU with subgroups as wide as most have; kernels are chosen by what the adapter offers. */
const gpu: Partial<Capabilities> = { software: false, subgroups: { min: 32, max: 32 } };

test("every kernel is timed on some adapter, by a case, its plain way or a yardstick", async () => {
  const device = await openDevice({ adapter: "swiftshader" });
  const yardsticks = await openYardsticks(device);
  const timed = new Set<string>();
  // Nothing runs: which kernels would is all that counts here.
  device.dispatch = ({ kernel }) => timed.add(kernel);
  yardsticks.copy.run();
  yardsticks.fma.run();
  for (const capabilities of [device.capabilities, { ...device.capabilities, ...gpu }]) {
    Object.assign(device, { capabilities });
    for (const bench of allCases.filter(({ name }) => !name.startsWith("pass"))) {
      using _scope = device.scope(bench.name);
      const { run, plain } = await bench.prepare(device);
      await run();
      await plain?.();
    }
  }
  device.destroy();
  const files = await readdir(fileURLToPath(new URL("../kernels", import.meta.url)));
  const kernels = files.filter((file) => file.endsWith(".wgsl")).map((file) => file.slice(0, -".wgsl".length));
  expect([...timed].sort()).toEqual(kernels.sort());
});

import { readdirSync, readFileSync } from "node:fs";
import { type Capabilities, openDevice } from "@lethe/tensor";
import { expect, test } from "vitest";
import { allCases } from "./cases/index.ts";

/** A GPU with subgroups as wide as most have; kernels are chosen by what the adapter offers. */
const gpu: Partial<Capabilities> = { software: false, subgroups: { min: 32, max: 32 } };

const folder = new URL("../kernels/", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
const kernels = files.filter((file) => /^\w+\.wgsl$/.test(file));

test("every kernel is timed on some adapter, by a case or its plain way", async () => {
  const device = await openDevice({ adapter: "swiftshader" });
  const timed = new Set<string>();
  // Nothing runs: the test only asks which kernels would.
  device.dispatch = ({ kernel }) => timed.add(`${kernel}.wgsl`);
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
  expect([...timed].sort()).toEqual(kernels.sort());
});

test("every kernel that the kernels' README or comments name exists", () => {
  for (const file of files.filter((file) => /\.(md|wgsl)$/.test(file))) {
    const text = readFileSync(new URL(file, folder), "utf8");
    const named = [...text.matchAll(/(lib\/)?\w+\.wgsl/g)].map(([name]) => name);
    const unknown = named.filter((name) => !files.includes(name));
    expect(unknown, file).toEqual([]);
  }
});

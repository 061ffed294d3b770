import { readdirSync, readFileSync } from "node:fs";
import { type Capabilities, openDevice } from "@lethe/tensor";
import { expect, test } from "vitest";
import type { BenchCase } from "./case.ts";
import { allCases } from "./cases/index.ts";

/** A GPU with subgroups as wide as most have; kernels are chosen by what the adapter offers. */
const gpu: Partial<Capabilities> = { software: false, subgroups: { min: 32, max: 32 } };
const halves: Partial<Capabilities> = { ...gpu, f16: true };
/** With matrix units of f16, or of f32. */
const matrices = (["f16", "f32"] as const).map(
  (input): Partial<Capabilities> => ({
    ...halves,
    matrixUnits: [{ m: 8, n: 8, k: 8, input, sum: "f32" }],
    maxSharedBytes: 32768,
  }),
);

const folder = new URL("../kernels/", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
const kernels = files.filter((file) => /^\w+\.wgsl$/.test(file));

test("every kernel is timed on some adapter, by a case or its plain way", async () => {
  const device = await openDevice({ adapter: "swiftshader" });
  const timed = new Set<string>();
  // Nothing runs: the test only asks which kernels would.
  device.dispatch = ({ kernel }) => timed.add(`${kernel}.wgsl`);
  const own = device.capabilities;
  for (const others of [{}, gpu, halves, ...matrices]) {
    const capabilities = { ...own, ...others };
    Object.assign(device, { capabilities });
    const runs = ({ name, runsOn }: BenchCase) => !name.startsWith("pass") && (runsOn?.(capabilities) ?? true);
    for (const bench of allCases.filter(runs)) {
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

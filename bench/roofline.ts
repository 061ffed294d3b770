import { readFileSync } from "node:fs";
import type { Device } from "@lethe/tensor";
import { measure, median } from "../packages/lab/src/profile/measure.ts";
import { copyBytes } from "./cache.ts";

/** A kernel that only moves data, or only computes. Other kernels are compared with it. */
export interface Yardstick {
  readonly run: () => void;
  /** Bytes or floating-point operations of one run. */
  readonly amount: number;
}

export interface Yardsticks extends Disposable {
  readonly copy: Yardstick;
  readonly fma: Yardstick;
}

/** The rates that this adapter reaches with the yardsticks. */
export interface Roofline {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Makes both yardsticks and checks their outputs. The caller disposes of them. */
export async function openYardsticks(device: Device): Promise<Yardsticks> {
  for (const kernel of ["roofline_copy", "roofline_fma"])
    device.addKernel(kernel, readFileSync(new URL(`kernels/${kernel}.wgsl`, import.meta.url), "utf8"));
  const scope = device.scope("yardsticks");
  // More than the last-level cache holds, so that this is the speed of memory.
  const vectors = copyBytes(device.capabilities) / 16;
  const x = device.tensor(
    new Float32Array(vectors * 4).map((_, i) => i % 251),
    [vectors * 4],
  );
  const copied = device.empty([vectors * 4], "f32", "copy");
  const copy = () =>
    device.dispatch({
      kernel: "roofline_copy",
      bindings: { x, out: copied },
      params: { count: vectors },
      workgroups: device.grid(vectors / 1024),
    });

  const lanes = device.capabilities.software ? 4096 : 2 ** 18;
  const rounds = 128;
  const flopsPerRound = 192;
  const sums = device.empty([lanes], "f32", "fma");
  const fma = () =>
    device.dispatch({
      kernel: "roofline_fma",
      bindings: { out: sums },
      params: { rounds, half: 0.5 },
      workgroups: [lanes / 64, 1, 1],
    });

  copy();
  fma();
  const [moved, original, twos] = await Promise.all([copied.read(), x.read(), sums.read()]);
  if (!moved.every((value, i) => value === original[i])) throw new Error("the copy kernel did not copy");
  if (!twos.every((value) => Math.abs(value - 2) < 1e-4)) throw new Error("the FMA kernel did not run");
  return {
    copy: { run: copy, amount: 2 * vectors * 16 },
    fma: { run: fma, amount: lanes * rounds * flopsPerRound },
    [Symbol.dispose]: () => scope[Symbol.dispose](),
  };
}

/** Both peaks: medians of rounds in which the two take turns. */
export async function measureRoofline(device: Device, { copy, fma }: Yardsticks): Promise<Roofline> {
  const [copies, chains] = await measure(device, [copy.run, fma.run]);
  return { bytesPerSecond: copy.amount / median(copies!), flopsPerSecond: fma.amount / median(chains!) };
}

import type { Device } from "@lethe/tensor";
import { measure } from "./measure.ts";

/** What this adapter reaches in this run with kernels that only move, or only compute. */
export interface Roofline {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Measures both peaks and checks that the kernels did what they claim. */
export async function measureRoofline(device: Device): Promise<Roofline> {
  using _ = device.scope("roofline");
  const vectors = 2 ** 20;
  const x = device.tensor(
    Float32Array.from({ length: vectors * 4 }, (_, i) => i % 251),
    [vectors * 4],
  );
  const copied = device.empty([vectors * 4], "f32", "copy");
  const copy = () =>
    device.dispatch({
      kernel: "roofline_copy",
      bindings: { x, out: copied },
      params: { count: vectors },
      workgroups: device.grid(vectors / 64),
    });

  const lanes = device.capabilities.software ? 4096 : 2 ** 18;
  const fmaRounds = 128;
  const flopsPerRound = 192;
  const sums = device.empty([lanes], "f32", "fma");
  const fma = () =>
    device.dispatch({
      kernel: "roofline_fma",
      bindings: { out: sums },
      params: { rounds: fmaRounds, half: 0.5 },
      workgroups: [lanes / 64, 1, 1],
    });

  const [copySeconds, fmaSeconds] = (await measure(device, [copy, fma])) as [number, number];
  const [moved, original] = await Promise.all([copied.read(), x.read()]);
  if (!moved.every((value, i) => value === original[i])) throw new Error("the copy kernel did not copy");
  if (!(await sums.read()).every((value) => Math.abs(value - 2) < 1e-4)) throw new Error("the FMA kernel did not run");
  return {
    flopsPerSecond: (lanes * fmaRounds * flopsPerRound) / fmaSeconds,
    bytesPerSecond: (2 * vectors * 16) / copySeconds,
  };
}

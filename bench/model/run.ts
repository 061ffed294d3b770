import { loadModel } from "@lethe/auto";
import type { Device } from "@lethe/tensor";
import { type KernelCost, profile } from "../../packages/lab/src/profile/kernel-costs.ts";
import { measure, median } from "../../packages/lab/src/profile/measure.ts";
import { profileLines, totalsOf } from "../../packages/lab/src/profile/totals.ts";
import { works } from "./works.ts";

/** The figures of one part of the main job. */
export interface ModelRow {
  readonly name: string;
  readonly shape: string;
  readonly seconds: number;
  /** Of the matrix products, forward, recomputed and backward. */
  readonly gflops: number;
  /** GFLOP/s of the same products, each timed by itself in the same run: the rate of the bench for its shapes. */
  readonly productGflops: number;
  readonly costs: readonly KernelCost[];
}

/**
 * Times the parts of the main job with the model of a directory. The products of each part are then timed by themselves, so that a
 * row says how much of their speed the whole part keeps.
 * @param filter only parts whose name or shape contains this
 */
export async function benchModel(
  device: Device,
  directory: string,
  { filter, detailed }: { readonly filter: string; readonly detailed: boolean },
): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  for (const { name, shape, dtype, prepare } of works) {
    if (!`${name} ${shape}`.includes(filter)) continue;
    using _scope = device.scope(name);
    using model = await loadModel(device, directory, dtype ? { dtype } : {});
    const { run, dispose } = prepare(model);
    const seconds = median((await measure(device, [run]))[0]!);
    const costs = await profile(device, run);
    dispose?.();
    const { matmulSeconds, matmulGflops } = totalsOf(costs);
    const row = {
      name,
      shape,
      seconds,
      gflops: (matmulGflops! * matmulSeconds) / seconds,
      productGflops: matmulGflops!,
      costs,
    };
    printModelRow(row);
    if (detailed) for (const line of profileLines(costs, seconds)) console.log(line);
    device.trim();
    rows.push(row);
  }
  return rows;
}

function printModelRow({ name, shape, seconds, gflops, productGflops }: ModelRow): void {
  const share = `${((100 * gflops) / productGflops).toFixed(0)} %`;
  console.log(
    `${name.padEnd(24)} ${shape.padEnd(36)} ${seconds.toFixed(3)} s, ${gflops.toFixed(1)} GFLOP/s, ${share} of its products' ${productGflops.toFixed(1)} GFLOP/s by themselves`,
  );
}

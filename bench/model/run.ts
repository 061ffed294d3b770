import { loadModel } from "@lethe/auto";
import type { Device } from "@lethe/tensor";
import { measure, median } from "../measure.ts";
import { type KernelCost, printProfile, profile } from "../profile.ts";
import { works } from "./works.ts";

/** The figures of one part of the main job. */
interface ModelRow {
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
    const total = (amount: (cost: KernelCost) => number) => costs.reduce((sum, cost) => sum + amount(cost), 0);
    const flops = total(({ count, flops }) => count * flops);
    const productSeconds = total(({ kernel, count, seconds }) => (kernel.startsWith("matmul") ? count * seconds : 0));
    const row = {
      name,
      shape,
      seconds,
      gflops: flops / seconds / 1e9,
      productGflops: flops / productSeconds / 1e9,
      costs,
    };
    printModelRow(row);
    if (detailed) printProfile(costs, seconds);
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

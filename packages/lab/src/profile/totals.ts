import type { KernelCost } from "./kernel-costs.ts";

/** What a group of kernel runs costs together. */
export interface Totals {
  readonly dispatches: number;
  readonly seconds: number;
  /** Seconds of matrix products, and the rate that they reach; null where there is none. */
  readonly matmulSeconds: number;
  readonly matmulGflops: number | null;
}

export function totalsOf(costs: readonly KernelCost[]): Totals {
  const products = costs.filter(({ kernel }) => kernel.startsWith("matmul"));
  const [seconds, matmulSeconds] = [costs, products].map((of) => sum(of, ({ count, seconds }) => count * seconds));
  const flops = sum(products, ({ count, flops }) => count * flops);
  return {
    dispatches: sum(costs, ({ count }) => count),
    seconds: seconds!,
    matmulSeconds: matmulSeconds!,
    matmulGflops: products.length > 0 ? flops / matmulSeconds! / 1e9 : null,
  };
}

/** The costs of each kernel, by name, the largest first. */
export function byKernel(costs: readonly KernelCost[]): (Totals & { kernel: string; costs: KernelCost[] })[] {
  return [...new Set(costs.map(({ kernel }) => kernel))]
    .map((kernel) => {
      const own = costs.filter((cost) => cost.kernel === kernel);
      return { kernel, costs: own, ...totalsOf(own) };
    })
    .toSorted((a, b) => b.seconds - a.seconds);
}

/**
 * Lines with totals by kernel, and below each the sizes that take most of its time.
 * @param wholeSeconds what the whole work took, the host's share included
 */
export function profileLines(costs: readonly KernelCost[], wholeSeconds: number): string[] {
  const all = totalsOf(costs);
  const lines = [
    `  ${all.dispatches} dispatches: ${milliseconds(all.seconds)}; the whole: ${milliseconds(wholeSeconds)}`,
  ];
  for (const { kernel, seconds, dispatches, costs: own } of byKernel(costs)) {
    const share = `${((100 * seconds) / all.seconds).toFixed(1)} %`.padStart(7);
    lines.push(`  ${share} ${milliseconds(seconds)} ${times(dispatches)} ${kernel}`);
    for (const { count, seconds: each, size } of own.slice(0, 3)) {
      if (count * each < 0.01 * all.seconds) continue;
      const detail = `${size}: ${(each * 1e6).toFixed(0)} µs each`;
      lines.push(`          ${milliseconds(count * each)} ${times(count)}   ${detail}`);
    }
  }
  return lines;
}

const sum = (costs: readonly KernelCost[], of: (cost: KernelCost) => number) =>
  costs.reduce((total, cost) => total + of(cost), 0);
const milliseconds = (seconds: number) => `${(seconds * 1e3).toFixed(2)} ms`.padStart(11);
const times = (count: number) => `${count}×`.padStart(6);

import { type Binding, type Device, type Dispatch, Tensor } from "@lethe/tensor";
import { measure, median } from "./measure.ts";

/** The cost of one kernel at one size within a piece of work. */
export interface KernelCost {
  readonly kernel: string;
  /** Shapes of its bindings, in the order in which it was given them. */
  readonly size: string;
  /** How often it runs, and seconds of one run. */
  readonly count: number;
  readonly seconds: number;
  /** Floating-point operations of one run of a matrix product; 0 of anything else. */
  readonly flops: number;
}

const tensorOf = (binding: Binding) => (binding instanceof Tensor ? binding : binding.tensor);

/** Shows every dispatch of a device to `seen` before it is recorded, until the result is disposed of. */
function watchDispatches(device: Device, seen: (call: Dispatch) => void): Disposable {
  device.dispatch = (call) => {
    seen(call);
    Object.getPrototypeOf(device).dispatch.call(device, call);
  };
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(device, "dispatch") };
}

/** 2 m n k for every product of the batch. Slices of one product count as the product. */
function flopsOf({ kernel, params = {} }: Dispatch): number {
  const { m = 0, n = 0, k_total: depth = 0 } = params;
  return kernel.startsWith("matmul") ? 2 * m * n * depth : 0;
}

/** The call with bindings that outlive the scope in which it was recorded. */
function held(call: Dispatch): Dispatch {
  const bindings = Object.entries(call.bindings).map(([name, binding]): [string, Binding] => [
    name,
    binding instanceof Tensor ? binding.retain() : { ...binding, tensor: binding.tensor.retain() },
  ]);
  return { ...call, bindings: Object.fromEntries(bindings) };
}

/**
 * The time of `work`, kernel by kernel, the largest share first. Every different dispatch is kept, measured by itself and multiplied
 * by how often it came. This needs no timestamps, so it works on every adapter. It does not see the time in which the host did not
 * keep the queue full: that is the difference to the time of the whole work.
 */
export async function profile(device: Device, work: () => unknown): Promise<KernelCost[]> {
  const calls = new Map<string, { call: Dispatch; size: string; count: number }>();
  {
    using _watch = watchDispatches(device, (call) => {
      const tensors = Object.values(call.bindings).map(tensorOf);
      const size = tensors.map(({ dtype, shape }) => `${dtype === "f32" ? "" : dtype}${shape.join("×")}`).join(" ");
      const key = JSON.stringify([call.kernel, call.constants, call.workgroups, size]);
      const known = calls.get(key);
      if (known) known.count++;
      else calls.set(key, { call: held(call), size, count: 1 });
    });
    using _scope = device.scope("profile");
    await work();
  }
  const found = [...calls.values()];
  const runs = found.map(({ call }) => device.dispatch.bind(device, call));
  const samples = await measure(device, runs);
  const costs = found.map(({ call, size, count }, i) => ({
    kernel: call.kernel,
    size,
    count,
    seconds: median(samples[i]!),
    flops: flopsOf(call),
  }));
  for (const { call } of found) for (const binding of Object.values(call.bindings)) tensorOf(binding).dispose();
  return costs.toSorted((a, b) => b.count * b.seconds - a.count * a.seconds);
}

/** Prints totals by kernel, and below each the sizes that take most of its time. */
export function printProfile(costs: readonly KernelCost[], wholeSeconds: number): void {
  const total = (of: readonly KernelCost[]) => of.reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  const share = (seconds: number) => `${((100 * seconds) / total(costs)).toFixed(1)} %`.padStart(7);
  const milliseconds = (seconds: number) => `${(seconds * 1e3).toFixed(2)} ms`.padStart(11);
  const runs = costs.reduce((sum, { count }) => sum + count, 0);
  console.log(`  ${runs} dispatches: ${milliseconds(total(costs))}; the whole: ${milliseconds(wholeSeconds)}`);
  const byKernel = [...new Set(costs.map(({ kernel }) => kernel))]
    .map((kernel) => ({ kernel, own: costs.filter((cost) => cost.kernel === kernel) }))
    .toSorted((a, b) => total(b.own) - total(a.own));
  for (const { kernel, own } of byKernel) {
    const count = own.reduce((sum, cost) => sum + cost.count, 0);
    console.log(`  ${share(total(own))} ${milliseconds(total(own))} ${`${count}×`.padStart(6)} ${kernel}`);
    for (const cost of own.slice(0, 3)) {
      if (cost.count * cost.seconds < 0.01 * total(costs)) continue;
      const each = `${(cost.seconds * 1e6).toFixed(0)} µs each`;
      console.log(
        `          ${milliseconds(cost.count * cost.seconds)} ${`${cost.count}×`.padStart(6)}   ${cost.size}: ${each}`,
      );
    }
  }
}

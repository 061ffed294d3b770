import { type Binding, bytesPerElement, type Device, type Dispatch, type DType, Tensor } from "@lethe/tensor";
import { type MeasureOptions, measure, median } from "./measure.ts";

/** The cost of one kernel at one size within a stage of the work. */
export interface KernelCost {
  readonly stage: string;
  readonly kernel: string;
  /** Shapes of its bindings, in the order in which it was given them. */
  readonly size: string;
  /** How often it runs, and seconds of one run. */
  readonly count: number;
  readonly seconds: number;
  /** Floating-point operations of one run of a matrix product; 0 of anything else. */
  readonly flops: number;
}

/** How much there is to do in the runs of one kernel at one size within a stage. */
export interface KernelWork {
  readonly stage: string;
  readonly kernel: string;
  readonly count: number;
  /** Floating-point operations of one run of a matrix product; 0 of anything else. */
  readonly flops: number;
  /** Bytes of what one run is given: what it moves, if it moves all of that once. */
  readonly bytes: number;
}

/** A dispatch without its tensors, and how often it came in each stage. */
interface Kind {
  readonly call: Omit<Dispatch, "bindings">;
  readonly bindings: readonly { readonly name: string; readonly dtype: DType; readonly bytes: number }[];
  readonly size: string;
  readonly counts: Map<string, number>;
}

/**
 * Counts the dispatches of a device from now on, by stage, until it is disposed of. It keeps their shapes and none of their tensors, so
 * work of any length can be watched.
 */
export class DispatchLog implements Disposable {
  /** To which the next dispatches belong. */
  stage = "";
  readonly #device: Device;
  readonly #kinds = new Map<string, Kind>();

  constructor(device: Device) {
    this.#device = device;
    device.dispatch = (call) => {
      this.#count(call);
      Object.getPrototypeOf(device).dispatch.call(device, call);
    };
  }

  /** Stops counting. */
  [Symbol.dispose](): void {
    Reflect.deleteProperty(this.#device, "dispatch");
  }

  /** What was counted so far. Nothing is measured. */
  work(): KernelWork[] {
    return [...this.#kinds.values()].flatMap(({ call, bindings, counts }) => {
      const bytes = bindings.reduce((sum, binding) => sum + binding.bytes, 0);
      const flops = flopsOf(call);
      return Array.from(counts, ([stage, count]) => ({ stage, kernel: call.kernel, count, flops, bytes }));
    });
  }

  /**
   * The time of each kernel, the largest share first. It stops counting; then every different dispatch is run by itself, on zeros, and its
   * time multiplied by how often it came. This needs no timestamps, so it works on every adapter. It does not see the time in which the
   * host did not keep the queue full: that is the difference to the time of the whole work.
   * @param typical the time that counts, of those of all rounds
   */
  async costs(options: MeasureOptions = {}, typical = median): Promise<KernelCost[]> {
    this[Symbol.dispose]();
    const costs: KernelCost[] = [];
    for (const { call, bindings, size, counts } of this.#kinds.values()) {
      using _scope = this.#device.scope("profile");
      const tensors = bindings.map(({ name, dtype, bytes }): [string, Tensor] => {
        const tensor = this.#device.empty([bytes / bytesPerElement[dtype]], dtype, "profile");
        this.#device.writeBytes(tensor, 0, new Uint8Array(tensor.bytes));
        return [name, tensor];
      });
      const run = () => this.#device.dispatch({ ...call, bindings: Object.fromEntries(tensors) });
      const seconds = typical((await measure(this.#device, [run], options))[0]!);
      for (const [stage, count] of counts)
        costs.push({ stage, kernel: call.kernel, size, count, seconds, flops: flopsOf(call) });
    }
    this.#device.trim();
    return costs.toSorted((a, b) => b.count * b.seconds - a.count * a.seconds);
  }

  #count({ bindings, ...call }: Dispatch): void {
    const size = Object.values(bindings).map(shapeOf).join(" ");
    // How much of a cache is read is in a whole number; a learning rate is in none, and changes no time.
    const whole = Object.entries(call.params ?? {}).filter(([, value]) => Number.isInteger(value));
    const key = JSON.stringify([call.kernel, call.constants, call.workgroups, size, whole]);
    const known = this.#kinds.get(key);
    const { counts } = known ?? { counts: new Map<string, number>() };
    counts.set(this.stage, (counts.get(this.stage) ?? 0) + 1);
    if (!known) this.#kinds.set(key, { call, bindings: Object.entries(bindings).map(described), size, counts });
  }
}

const tensorOf = (binding: Binding) => (binding instanceof Tensor ? binding : binding.tensor);

function shapeOf(binding: Binding): string {
  const { dtype, shape } = tensorOf(binding);
  return `${dtype === "f32" ? "" : dtype}${shape.join("×")}`;
}

function described([name, binding]: [string, Binding]): Kind["bindings"][number] {
  const bytes = binding instanceof Tensor ? Math.max(binding.bytes, 4) : binding.size;
  return { name, dtype: tensorOf(binding).dtype, bytes };
}

/** 2 m n k for every product of the batch. Slices of one product count as the product. */
function flopsOf({ kernel, params = {} }: Kind["call"]): number {
  const { m = 0, n = 0, k_total: depth = 0 } = params;
  return kernel.startsWith("matmul") ? 2 * m * n * depth : 0;
}

/** The time of `work`, kernel by kernel; see {@link DispatchLog.costs}. */
export async function profile(device: Device, work: () => unknown): Promise<KernelCost[]> {
  using log = new DispatchLog(device);
  {
    using _scope = device.scope("profile");
    await work();
  }
  return log.costs();
}

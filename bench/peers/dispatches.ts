/** Counts the dispatches of every WebGPU device of this process. */
export class DispatchCount {
  #count = 0;

  constructor() {
    const { prototype } = GPUComputePassEncoder;
    const { dispatchWorkgroups } = prototype;
    const count = () => this.#count++;
    prototype.dispatchWorkgroups = function (...workgroups) {
      count();
      return dispatchWorkgroups.apply(this, workgroups);
    };
  }

  /** Dispatches of some work. */
  async of<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly count: number }> {
    const before = this.#count;
    const result = await work();
    return { result, count: this.#count - before };
  }
}

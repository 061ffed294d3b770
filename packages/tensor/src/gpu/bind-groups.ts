import { collectGarbage, mappingsAllowed } from "#adapter";
import { OutOfMemoryError } from "../errors.ts";
import type { Pipeline } from "./pipelines.ts";
import type { BoundRange } from "./pool.ts";
import { Recent } from "./recent.ts";
import type { WebGPUBindGroup, WebGPUBuffer, WebGPUDevice } from "./webgpu-types.ts";

// A driver may pay for a bind group with a memory mapping of its own (Mesa's software adapter does), and Linux allows a process 65,530 of
// them; past that, the driver fails in ways that end the process. WebGPU cannot destroy a bind group: it is freed when JavaScript has
// collected its object and the device has done the last batch that uses it. So all three are counted: those kept for further use, those
// that are not collected yet, and those that a batch still needs.

/** What a process may have, where the system does not say. */
const usual = 65_530;
const allowed = Math.min(mappingsAllowed() ?? usual, usual);
/** Kept for further use. A training step of 30 layers uses about 2,500 for each shape of batch. Each takes about 7 KB of the host's memory. */
const mostCached = Math.floor(allowed / 4);
/** Beyond those kept, before the host's memory is collected. */
const slack = Math.floor(allowed / 16);
/** In the whole process. The rest is for buffers, threads and libraries. */
const mostAlive = Math.floor((allowed * 5) / 8);

/** A bind group, for as long as the driver has it. */
interface Life {
  /** Number of the last batch that uses it. */
  lastUse: number;
  readonly census: Census;
}

/** Counts the bind groups that the driver has, for one device. */
class Census {
  /** Of all devices. */
  static total = 0;
  static readonly #collected = new FinalizationRegistry<Life>(({ lastUse, census }) => census.#end(lastUse));
  /** Collected groups that a batch still needs, by the batch. */
  readonly #needed = new Map<number, number>();
  #done = -1;
  #ended = false;
  alive = 0;

  begin(group: object, lastUse: number): Life {
    const life = { lastUse, census: this };
    Census.#collected.register(group, life);
    this.#count(1);
    return life;
  }

  /** The device has done all batches up to this one. */
  batchDone(batch: number): void {
    if (this.#ended) return;
    this.#done = batch;
    for (const [needed, count] of this.#needed) {
      if (needed > batch) continue;
      this.#needed.delete(needed);
      this.#count(-count);
    }
  }

  /** The device is gone, and the driver has freed all that was its own. */
  end(): void {
    this.#ended = true;
    this.#count(-this.alive);
  }

  #end(lastUse: number): void {
    if (this.#ended) return;
    if (lastUse <= this.#done) this.#count(-1);
    else this.#needed.set(lastUse, (this.#needed.get(lastUse) ?? 0) + 1);
  }

  #count(more: number): void {
    this.alive += more;
    Census.total += more;
  }
}

interface Kept {
  readonly group: WebGPUBindGroup;
  readonly life: Life;
  readonly buffers: readonly number[];
}

/** Bind groups, kept while they are used again. */
export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #arena: GPUBuffer;
  readonly #kept = new Recent<string, Kept>(mostCached);
  readonly #census = new Census();
  #madeSinceCollection = 0;

  /** @param arena holds the parameters of every kernel */
  constructor(gpu: WebGPUDevice, arena: WebGPUBuffer) {
    this.#gpu = gpu;
    this.#arena = arena;
  }

  /** Those kept for further use, and those that the driver has. */
  get counts(): { readonly cached: number; readonly alive: number } {
    return { cached: this.#kept.size, alive: this.#census.alive };
  }

  /**
   * The bind group of a kernel and its buffers.
   * @param batch that uses it
   * @throws {OutOfMemoryError} when there are so many that the driver could fail
   */
  get(pipeline: Pipeline, ranges: readonly BoundRange[], batch: number): GPUBindGroup {
    let key = pipeline.kernel;
    for (const { buffer, offset, size } of ranges) key += `,${buffer.id}:${offset}:${size}`;
    const known = this.#kept.get(key);
    if (known) {
      known.life.lastUse = batch;
      return known.group;
    }
    if (Census.total >= mostAlive)
      throw new OutOfMemoryError(
        `kernel ${pipeline.kernel}: the driver holds ${Census.total} bind groups for recorded work, and can fail with more. ` +
          "Where much is recorded before a result is read, wait for `await device.ready()` now and then.",
      );
    const group = this.#make(pipeline, ranges);
    const buffers = ranges.map(({ buffer }) => buffer.id);
    this.#kept.set(key, { group, life: this.#census.begin(group, batch), buffers });
    this.#madeSinceCollection++;
    return group;
  }

  /** Forgets the groups of buffers that will be destroyed. */
  forget(buffers: ReadonlySet<number>): void {
    this.#kept.forget((kept) => kept.buffers.some((id) => buffers.has(id)));
  }

  /** The device has done all batches up to this one. */
  batchDone(batch: number): void {
    this.#census.batchDone(batch);
  }

  /** The device does nothing more. */
  end(): void {
    this.#kept.shrink(0);
    this.#census.end();
  }

  /** Where too many are kept for nothing, sees to it that the host's memory is collected. Call it where the caller waits anyway. */
  async relieve(): Promise<void> {
    if (this.crowded) this.#kept.shrink(mostCached / 4); // Another device of the process may have many.
    const { cached, alive } = this.counts;
    if (alive - cached < slack || this.#madeSinceCollection < slack / 2) return;
    this.#madeSinceCollection = 0;
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 0)); // What was collected is told in a turn of its own.
  }

  /** Whether the driver has so many that the next work should wait for the last to be done. */
  get crowded(): boolean {
    return Census.total > mostAlive - 2 * slack;
  }

  #make(pipeline: Pipeline, ranges: readonly BoundRange[]): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = ranges.map(({ buffer, offset, size }, i) => ({
      binding: pipeline.interface.storage[i]!.index,
      resource: { buffer: buffer.gpu, offset, size },
    }));
    const fields = pipeline.interface.params.length;
    if (fields > 0)
      entries.push({ binding: 0, resource: { buffer: this.#arena, size: Math.ceil((fields * 4) / 16) * 16 } });
    return this.#gpu.createBindGroup({ label: pipeline.kernel, layout: pipeline.layout, entries });
  }
}

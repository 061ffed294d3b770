import { collectGarbage, mappingsAllowed } from "#adapter";
import { OutOfMemoryError } from "../errors.ts";
import { Census, type Life } from "./bind-group-census.ts";
import { type ParamSlot, ParamSlots, type ParamUpload } from "./param-slots.ts";
import type { Pipeline } from "./pipelines.ts";
import type { BoundRange } from "./pool.ts";
import type { WebGPUBindGroup, WebGPUDevice } from "./webgpu-types.ts";

/** What a process may have, where the system does not say. */
const usual = 65_530;
const allowed = Math.min(mappingsAllowed() ?? usual, usual);
/** Kept for further use. A training step of 30 layers uses about 2,500 for each shape of batch. Each takes about 7 KB of the host's memory. */
const mostCached = Math.floor(allowed / 4);
/** Beyond those kept, before the host's memory is collected. */
const slack = Math.floor(allowed / 16);
/** In the whole process. The rest is for buffers, threads and libraries. */
const mostAlive = Math.floor((allowed * 5) / 8);

/** A bind group with its parameters' slot, where the kernel has parameters. */
interface Bound {
  readonly group: WebGPUBindGroup;
  readonly slot: ParamSlot | null;
  readonly life: Life;
}

/** The bind groups of a kernel and its buffers. */
interface Site {
  readonly key: string;
  readonly kernel: string;
  readonly ranges: readonly BoundRange[];
  /** More than one where a batch ran the kernel on these buffers with different parameters; none where the site is given up. */
  readonly bound: Bound[];
  /** The one that was looked at last. */
  current: number;
  /** The last batch that uses the site. */
  lastUse: number;
  /** The site that was used after this one, the last time. */
  next: Site | null;
}

/** Bind groups, kept while they are used again. */
export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #slots: ParamSlots;
  readonly #sites = new Map<string, Site>();
  readonly #census = new Census();
  #cached = 0;
  #madeSinceCollection = 0;
  #last: Site | null = null;

  constructor(gpu: WebGPUDevice) {
    this.#gpu = gpu;
    this.#slots = new ParamSlots(gpu);
  }

  /** Those kept for further use, and those that the driver has. */
  get counts(): { readonly cached: number; readonly alive: number } {
    return { cached: this.#cached, alive: this.#census.alive };
  }

  /**
   * The bind group of a kernel, its buffers and its parameters. Work mostly repeats itself: so the site that came next the last time is
   * looked at first.
   * @param batch that uses it
   * @throws {OutOfMemoryError} when there are so many that the driver could fail
   */
  get(
    pipeline: Pipeline,
    ranges: readonly BoundRange[],
    params: Readonly<Record<string, number>>,
    batch: number,
  ): GPUBindGroup {
    const guess = this.#last?.next;
    const site = guess && isSite(guess, pipeline, ranges) ? guess : this.#find(pipeline, ranges);
    if (this.#last) this.#last.next = site;
    this.#last = site;
    site.lastUse = batch;
    const bound = this.#bind(site, pipeline, params, batch);
    bound.life.lastUse = batch;
    if (bound.slot) bound.slot.lastUse = batch;
    return bound.group;
  }

  /** Parameters that have changed since the last call, to be uploaded before the work recorded so far. */
  takeUploads(): ParamUpload[] {
    return this.#slots.takeUploads();
  }

  /** Forgets the groups of buffers that will be destroyed. */
  forget(buffers: ReadonlySet<number>): void {
    for (const site of this.#sites.values())
      if (site.ranges.some(({ buffer }) => buffers.has(buffer.id))) this.#drop(site);
  }

  /** The device has done all batches up to this one. */
  batchDone(batch: number): void {
    this.#census.batchDone(batch);
  }

  /** The device does nothing more. */
  end(): void {
    this.#shrink(0);
    this.#census.end();
  }

  /** Where too many are kept for nothing, sees to it that the host's memory is collected. Call it where the caller waits anyway. */
  async relieve(): Promise<void> {
    if (this.crowded) this.#shrink(mostCached / 4); // Another device of the process may have many.
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

  #find(pipeline: Pipeline, ranges: readonly BoundRange[]): Site {
    const { kernel } = pipeline;
    let key = kernel;
    for (const { buffer, offset, size } of ranges) key += `,${buffer.id}:${offset}:${size}`;
    const known = this.#sites.get(key);
    if (known) return known;
    const site: Site = { key, kernel, ranges, bound: [], current: 0, lastUse: -1, next: null };
    this.#sites.set(key, site);
    return site;
  }

  /** A group of a site with the parameters in its slot. A slot that the batch reads cannot change. */
  #bind(site: Site, pipeline: Pipeline, params: Readonly<Record<string, number>>, batch: number): Bound {
    const { bound } = site;
    const fields = pipeline.interface.params;
    if (fields.length === 0) return bound[0] ?? this.#make(site, pipeline, batch);
    this.#slots.set(fields, params);
    for (let i = 0; i < bound.length; i++) {
      site.current = (site.current + 1) % bound.length;
      const one = bound[site.current]!;
      if (this.#slots.holds(one.slot!)) return one;
    }
    const one = bound.find(({ life }) => life.lastUse !== batch) ?? this.#make(site, pipeline, batch);
    this.#slots.write(one.slot!);
    return one;
  }

  #make(site: Site, pipeline: Pipeline, batch: number): Bound {
    if (this.#cached >= mostCached) this.#shrink(mostCached * 0.9);
    if (Census.total >= mostAlive)
      throw new OutOfMemoryError(
        `kernel ${pipeline.kernel}: the driver holds ${Census.total} bind groups for recorded work, and can fail with more. ` +
          "Where much is recorded before a result is read, wait for `await device.ready()` now and then.",
      );
    const entries: GPUBindGroupEntry[] = site.ranges.map(({ buffer, offset, size }, i) => ({
      binding: pipeline.interface.storage[i]!.index,
      resource: { buffer: buffer.gpu, offset, size },
    }));
    const fields = pipeline.interface.params.length;
    const slot = fields > 0 ? this.#slots.take(batch) : null;
    if (slot) entries.push({ binding: 0, resource: this.#slots.binding(slot, fields) });
    const group = this.#gpu.createBindGroup({ label: pipeline.kernel, layout: pipeline.layout, entries });
    const bound = { group, slot, life: this.#census.begin(group, batch) };
    site.bound.push(bound);
    this.#cached++;
    this.#madeSinceCollection++;
    return bound;
  }

  /** Gives up the sites that were not used for the longest time, until no more than `most` groups are kept. */
  #shrink(most: number): void {
    const oldest = [...this.#sites.values()].sort((a, b) => a.lastUse - b.lastUse);
    for (const site of oldest) {
      if (this.#cached <= most) return;
      this.#drop(site);
    }
  }

  #drop(site: Site): void {
    this.#sites.delete(site.key);
    this.#cached -= site.bound.length;
    for (const { slot } of site.bound) if (slot) this.#slots.give(slot);
    site.bound.length = 0;
    site.next = null;
  }
}

/** Whether a site that is kept is that of a kernel and its buffers. */
function isSite({ kernel, ranges: own, bound }: Site, pipeline: Pipeline, ranges: readonly BoundRange[]): boolean {
  if (kernel !== pipeline.kernel || bound.length === 0) return false;
  for (let i = 0; i < ranges.length; i++) {
    const [a, b] = [own[i]!, ranges[i]!];
    if (a.buffer !== b.buffer || a.offset !== b.offset || a.size !== b.size) return false;
  }
  return true;
}

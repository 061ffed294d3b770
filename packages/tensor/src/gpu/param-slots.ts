import { bufferUsage } from "./flags.ts";
import type { ParamField } from "./interface.ts";
import type { WebGPUDevice } from "./webgpu-types.ts";

/** Bytes of a slot: the alignment that every adapter allows for a uniform binding. */
const slotBytes = 256;
const slotWords = slotBytes / 4;
/** Slots of one uniform buffer. */
const slotsInBlock = 1024;

/** A uniform buffer, and what it will hold when the work recorded so far has its turn. */
interface Block {
  readonly gpu: GPUBuffer;
  readonly words: Uint32Array;
  /** The first word that changed since the last upload, and the one after the last. */
  low: number;
  high: number;
}

/** The place of the parameters of one bind group. */
export interface ParamSlot {
  readonly block: Block;
  /** The slot's first word. */
  readonly word: number;
  /** The last batch that reads it. */
  lastUse: number;
}

/** New contents of part of a uniform buffer. */
export interface ParamUpload {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: Uint32Array<ArrayBuffer>;
}

/**
 * The parameters of kernels. Each bind group has a slot of a uniform buffer, so a dispatch needs no dynamic offset: a driver may copy the
 * whole bind group for one (Mesa's software adapter does, which takes it half as long as a small kernel). A slot is written when its values
 * change, and uploaded just before the batch that reads them.
 */
export class ParamSlots {
  readonly #gpu: GPUDevice;
  readonly #blocks: Block[] = [];
  readonly #free: ParamSlot[] = [];
  #fresh = slotsInBlock;
  readonly #values = new Uint32Array(slotWords);
  readonly #signed = new Int32Array(this.#values.buffer);
  readonly #floats = new Float32Array(this.#values.buffer);
  /** How many of the values were set. */
  #count = 0;

  constructor(gpu: WebGPUDevice) {
    this.#gpu = gpu;
  }

  /** A slot that `batch` does not read yet. */
  take(batch: number): ParamSlot {
    const free = this.#free.findIndex(({ lastUse }) => lastUse !== batch);
    if (free >= 0) return this.#free.splice(free, 1)[0]!;
    if (this.#fresh === slotsInBlock) this.#addBlock();
    return { block: this.#blocks.at(-1)!, word: this.#fresh++ * slotWords, lastUse: -1 };
  }

  /** The slot as an entry of a bind group, for a kernel of so many parameters. */
  binding({ block, word }: ParamSlot, fields: number): GPUBufferBinding {
    return { buffer: block.gpu, offset: word * 4, size: Math.ceil(fields / 4) * 16 };
  }

  /** Takes a slot back when its bind group is given up. */
  give(slot: ParamSlot): void {
    this.#free.push(slot);
  }

  /** Takes the parameters of the next dispatch. */
  set(fields: readonly ParamField[], params: Readonly<Record<string, number>>): void {
    for (let i = 0; i < fields.length; i++) {
      const { name, type } = fields[i]!;
      (type === "f32" ? this.#floats : type === "u32" ? this.#values : this.#signed)[i] = params[name]!;
    }
    this.#count = fields.length;
  }

  /** Whether a slot holds the parameters that were {@link set}. */
  holds({ block: { words }, word }: ParamSlot): boolean {
    for (let i = 0; i < this.#count; i++) if (words[word + i] !== this.#values[i]) return false;
    return true;
  }

  /** Writes the parameters that were {@link set} to a slot that the batch being recorded does not read. */
  write({ block, word }: ParamSlot): void {
    for (let i = 0; i < this.#count; i++) block.words[word + i] = this.#values[i]!;
    block.low = Math.min(block.low, word);
    block.high = Math.max(block.high, word + this.#count);
  }

  /** What has changed since the last call. The queue is ordered, so batches that were recorded before keep their values. */
  takeUploads(): ParamUpload[] {
    const uploads: ParamUpload[] = [];
    for (const block of this.#blocks) {
      const { gpu: buffer, words, low, high } = block;
      if (low >= high) continue;
      uploads.push({ buffer, offset: low * 4, bytes: words.slice(low, high) as Uint32Array<ArrayBuffer> });
      Object.assign(block, unchanged);
    }
    return uploads;
  }

  #addBlock(): void {
    const gpu = this.#gpu.createBuffer({
      label: "parameters",
      size: slotsInBlock * slotBytes,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    this.#blocks.push({ gpu, words: new Uint32Array(slotsInBlock * slotWords), ...unchanged });
    this.#fresh = 0;
  }
}

const unchanged = { low: slotsInBlock * slotWords, high: 0 };

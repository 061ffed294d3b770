import { anyObject, checkerOf, finite, listOf, optional } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import type { Device, Tensor } from "../tensor.ts";
import type { F32 } from "./ops.ts";
import { planRows } from "./row-plan.ts";

/** A tensor, or one column of a matrix. */
export interface NormPart {
  readonly tensor: F32;
  readonly column?: number | undefined;
}

/** The norm of many tensors as one vector, on the device. */
export interface Norms {
  /** Sum of squares of each part, `[n]`. */
  readonly squares: F32;
  /** The sum of `squares`, a scalar. */
  readonly total: F32<readonly []>;
  /** √total, a scalar. */
  readonly norm: F32<readonly []>;
  /** `min(1, maxNorm / (norm + 10⁻⁶))`, a scalar: the factor by which `torch.nn.utils.clip_grad_norm_` scales gradients. */
  readonly clip: F32<readonly []>;
}

/** Elements of a block, at least. */
const blockElements = 4096;
/** About as many blocks there are at most: one lane sums up those of a tensor. */
const mostBlocks = 8192;

/** Numbers of a part whose squares are summed together: `count` elements from byte `begin` of a buffer on, `stride` elements apart. */
interface Block {
  readonly begin: number;
  readonly count: number;
  readonly stride: number;
}

/** Blocks in one binding of a buffer. */
interface Window {
  /** A part in its buffer, and the bytes from the begin of that part's tensor to that of the binding. */
  readonly part: number;
  readonly offset: number;
  readonly size: number;
  readonly blocks: Tensor;
  readonly start: number;
}

interface Plan {
  readonly windows: readonly Window[];
  /** Of each part its first block, and the one after its last. */
  readonly ranges: Tensor;
  /** Blocks of all parts. */
  readonly count: number;
}

const check = checkerOf("GlobalNorm.of", { parts: listOf(anyObject), maxNorm: optional(finite) });

/**
 * Computes norms of many tensors in few dispatches: one for all that lie in one binding of a buffer, and one that adds up. It keeps tables of
 * where the tensors lie until it is disposed of. Sums run in an order that only shapes and places decide.
 */
export class GlobalNorm implements Disposable {
  readonly #device: Device;
  readonly #plans = new Map<string, Plan>();

  constructor(device: Device) {
    this.#device = device;
  }

  /**
   * @param maxNorm default: `clip` is 1
   * @throws {ShapeError} when there is no part, or a matrix has no such column
   */
  of(parts: readonly NormPart[], maxNorm?: number): Norms {
    check([parts, maxNorm]);
    if (parts.length === 0) throw new ShapeError("GlobalNorm: there is nothing to measure");
    const device = this.#device;
    const { windows, ranges, count } = this.#planOf(parts);
    using scope = device.scope("norm");
    const sums = device.empty([count], "f32", "sums of squares");
    for (const { part, offset, size, blocks, start } of windows) {
      const plan = planRows(device.capabilities, blockElements);
      const rows = blocks.shape[0]!;
      device.dispatch({
        kernel: "squares_of_blocks",
        constants: { ...plan },
        bindings: { x: { tensor: parts[part]!.tensor, offset, size }, blocks, out: sums },
        params: { blocks: rows, start },
        workgroups: device.grid(Math.ceil(rows / plan.ROWS)),
      });
    }
    const squares = scope.keep(device.empty([parts.length], "f32", "squares"));
    const scalar = (label: string) => scope.keep(device.empty([], "f32", label));
    const [total, norm, clip] = [scalar("sum of squares"), scalar("norm"), scalar("clip coefficient")];
    device.dispatch({
      kernel: "global_norm",
      constants: { LANES: Math.min(64, device.capabilities.maxWorkgroupSize) },
      bindings: { sums, ranges, squares, total, norm, clip },
      params: { tensors: parts.length, max_norm: maxNorm ?? 3e38 },
      workgroups: [1, 1, 1],
    });
    return { squares, total, norm, clip };
  }

  /** Makes the tables of tensors that lie in memory as these do, whose values are not read. {@link GlobalNorm.of} makes missing ones. */
  prepare(parts: readonly NormPart[]): void {
    this.#planOf(parts);
  }

  #planOf(parts: readonly NormPart[]): Plan {
    const buffers = parts.map(({ tensor }) => tensor.storage.buffer);
    const key = parts
      .map(({ tensor, column }, i) => {
        const { shape, size, storage } = tensor;
        return `${buffers.indexOf(buffers[i]!)} ${storage.offset} ${column === undefined ? size : `${shape} ${column}`}`;
      })
      .join();
    const known = this.#plans.get(key);
    if (known) return known;
    const plan = planOf(this.#device, parts);
    this.#plans.set(key, plan);
    return plan;
  }

  [Symbol.dispose](): void {
    for (const { windows, ranges } of this.#plans.values())
      for (const table of [ranges, ...windows.map(({ blocks }) => blocks)]) table.dispose();
    this.#plans.clear();
  }
}

function planOf(device: Device, parts: readonly NormPart[]): Plan {
  const elements = parts.reduce((sum, { tensor }) => sum + tensor.size, 0);
  const most = Math.ceil(elements / mostBlocks / blockElements) * blockElements;
  const { maxBindingBytes, bindingAlignment } = device.capabilities;
  const windows: Window[] = [];
  const ranges = parts.map(() => [0, 0]);
  let open: { part: number; begin: number; end: number; blocks: Block[] } | null = null;
  let count = 0;
  const close = () => {
    if (!open) return;
    const { part, begin, end, blocks } = open;
    const rows = blocks.map((block) => [(block.begin - begin) / 4, block.count, block.stride, 0]);
    const offset = begin - parts[part]!.tensor.storage.offset;
    const table = tableOf(device, rows, "blocks of a norm");
    windows.push({ part, offset, size: end - begin, blocks: table, start: count - blocks.length });
    open = null;
  };
  for (const part of inMemory(parts)) {
    const own = parts[part]!;
    ranges[part]![0] = count;
    for (const block of blocksOf(own, most)) {
      const end = block.begin + 4 * ((block.count - 1) * block.stride + 1);
      const shared = open && parts[open.part]!.tensor.storage.buffer === own.tensor.storage.buffer;
      if (!shared || end - open!.begin > maxBindingBytes) {
        close();
        const begin = Math.floor(block.begin / bindingAlignment) * bindingAlignment;
        open = { part, begin, end, blocks: [] };
      }
      open!.blocks.push(block);
      open!.end = end;
      count++;
    }
    ranges[part]![1] = count;
  }
  close();
  return { windows, ranges: tableOf(device, ranges, "blocks of tensors"), count };
}

/** Indices of parts, those of one buffer together and in the order of their places there. */
function inMemory(parts: readonly NormPart[]): number[] {
  const buffers = parts.map(({ tensor }) => tensor.storage.buffer);
  const firsts = buffers.map((buffer) => buffers.indexOf(buffer));
  const offset = (part: number) => parts[part]!.tensor.storage.offset;
  return [...parts.keys()].sort((a, b) => firsts[a]! - firsts[b]! || offset(a) - offset(b));
}

function tableOf(device: Device, rows: readonly (readonly number[])[], label: string): Tensor {
  const made = device.lasting([rows.length, rows[0]!.length], "u32", label);
  device.writeBytes(made, 0, new Uint8Array(Uint32Array.from(rows.flat()).buffer));
  return made;
}

/** A part in blocks of at most `most` elements. */
function blocksOf({ tensor, column }: NormPart, most: number): Block[] {
  const [rows = 0, width = 0] = tensor.shape;
  if (column !== undefined && !(tensor.shape.length === 2 && column >= 0 && column < width))
    throw new ShapeError(`GlobalNorm: ${tensor.label} [${tensor.shape}] has no column ${column}`);
  const [elements, stride] = column === undefined ? [tensor.size, 1] : [rows, width];
  const first = tensor.storage.offset + 4 * (column ?? 0);
  return Array.from({ length: Math.ceil(elements / most) }, (_, i) => ({
    begin: first + 4 * i * most * stride,
    count: Math.min(most, elements - i * most),
    stride,
  }));
}

import { byteLength } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import type { Capabilities } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";
import { show } from "../shape.ts";
import type { Binding, Device, Tensor } from "../tensor.ts";
import { planRows, wideOf } from "./row-plan.ts";

/** A run of a kernel over items (elements, rows) that are independent of each other. */
export interface ItemRun {
  readonly kernel: string;
  readonly constants?: Constants;
  readonly items: number;
  /** Workgroups for a number of items. */
  readonly workgroups: (count: number) => number;
  /** Tensors that hold `elementsPerItem` elements for each item, in order. */
  readonly split: Readonly<Record<string, readonly [tensor: Tensor, elementsPerItem: number]>>;
  /** Tensors that every item may read. */
  readonly whole?: Readonly<Record<string, Binding>>;
  readonly params: (count: number, start: number) => Readonly<Record<string, number>>;
}

// Objects for dispatches are written as one literal or joined by `Object.assign`. After a spread V8 makes each a dictionary, and
// `{ ...a, b }` takes up to a hundred times as long: for the parameters of a product, as long as all else of its dispatch.

/** Dispatches a run: in one piece where the tensors fit the adapter's largest binding, else in parts. */
export function runItems(device: Device, run: ItemRun): void {
  const { kernel, constants = {}, items, split, whole = {} } = run;
  for (const { start, count } of partsOf(device, items, Object.values(split))) {
    const bindings: Record<string, Binding> = {};
    for (const name in whole) bindings[name] = whole[name]!;
    for (const name in split) bindings[name] = part(...split[name]!, start, count, items);
    const workgroups = device.grid(run.workgroups(count));
    device.dispatch({ kernel, constants, bindings, params: run.params(count, start), workgroups });
  }
}

/** Constants and parameters of a kernel, besides its counts. */
export interface ElementRun {
  readonly constants?: Constants;
  readonly params?: Readonly<Record<string, number>>;
}

/** {@link ElementRun}, whose parameters may differ with the first element of a part. */
type PartRun = Pick<ElementRun, "constants"> & {
  readonly params?: ElementRun["params"] | ((start: number) => Readonly<Record<string, number>>);
};

/** Runs a kernel over the elements of tensors of one size, in vectors of four (`kernels/lib/elements.wgsl`). */
export function runElements(
  kernel: string,
  tensors: Readonly<Record<string, Tensor>>,
  { constants = {}, params = {} }: PartRun = {},
): void {
  const { device, size } = Object.values(tensors)[0]!;
  const turns = planTurns(device.capabilities);
  runItems(device, {
    kernel,
    constants: Object.assign({ TURNS: turns }, constants),
    items: size,
    workgroups: (count) => perTurns(Math.ceil(count / 4), turns),
    split: onePerItem(tensors),
    params: (count, start) => Object.assign({ count }, typeof params === "function" ? params(start) : params),
  });
}

/**
 * Items of a lane in the kernels of `kernels/lib/elements.wgsl`. On software adapters a workgroup is slow to start: with one vector a
 * lane, a fill reached a fifth of the speed.
 */
export const planTurns = ({ software }: Capabilities): number => (software ? 16 : 1);

/** Workgroups of 64 lanes for a number of items, `turns` to a lane. */
export const perTurns = (items: number, turns: number): number => Math.ceil(items / (64 * turns));

function onePerItem(tensors: Readonly<Record<string, Tensor>>): ItemRun["split"] {
  const split: Record<string, readonly [Tensor, number]> = {};
  for (const name in tensors) split[name] = [tensors[name]!, 1];
  return split;
}

/** Runs a kernel over rows of `width` elements (`kernels/lib/rows.wgsl`). */
export function runRows(
  device: Device,
  run: Pick<ItemRun, "kernel" | "split" | "whole"> & ElementRun & { readonly rows: number; readonly width: number },
): void {
  const { kernel, split, constants, rows, width, params } = run;
  const plan = planRows(device.capabilities, width, rows);
  runItems(device, {
    kernel,
    split,
    whole: run.whole ?? {},
    constants: Object.assign({ WIDE: wideOf(width) }, plan, constants),
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    params: (count) => Object.assign({ rows: count, width }, params),
  });
}

/** Workgroups of 64 lanes for a number of elements, one to a lane. */
export const perLane = (count: number): number => Math.ceil(count / 64);

/** Workgroups of 64 lanes for a number of elements, four to a lane. */
export const perVector = (count: number): number => Math.ceil(count / 256);

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * Splits items into parts. The elements of each tensor for one part fit the largest binding and begin at an aligned byte.
 * @throws {ShapeError} when even the smallest aligned part is larger than a binding.
 */
export function partsOf(
  device: Device,
  items: number,
  tensors: readonly (readonly [tensor: Tensor, elementsPerItem: number])[],
): { start: number; count: number }[] {
  const { maxBindingBytes, bindingAlignment } = device.capabilities;
  let fits = items;
  let step = 1;
  let largest: { tensor: Tensor; itemBytes: number } | undefined;
  for (const [tensor, perItem] of tensors) {
    const itemBytes = perItem * (byteLength(tensor.dtype, 2) / 2);
    step = Math.max(step, bindingAlignment / gcd(bindingAlignment, itemBytes));
    if (tensor.bytes <= maxBindingBytes) continue;
    const count = Math.floor(maxBindingBytes / itemBytes);
    if (count < fits) largest = { tensor, itemBytes };
    fits = Math.min(fits, count);
  }
  if (!largest) return [{ start: 0, count: items }];
  const size = Math.floor(fits / step) * step;
  if (size === 0)
    throw new ShapeError(
      `${largest.tensor.label} ${show(largest.tensor.shape)} is larger than one binding (${maxBindingBytes} bytes), ` +
        `and so is the smallest part that begins at an aligned byte (${step * largest.itemBytes} bytes)`,
    );
  return Array.from({ length: Math.ceil(items / size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, items - i * size),
  }));
}

/** The binding of items `start … start + count − 1` of a tensor, whose last item may be shorter. */
export function part(tensor: Tensor, perItem: number, start: number, count: number, items: number): Binding {
  if (count === items) return tensor;
  const offset = start * perItem * (byteLength(tensor.dtype, 2) / 2);
  return { tensor, offset, size: Math.min(byteLength(tensor.dtype, count * perItem), tensor.bytes - offset) };
}

import { byteLength } from "../dtype.ts";
import type { Binding, Device, Tensor } from "../tensor.ts";

/** A range of one axis of a product, from `start` up to `end`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export function extent(start: number, end: number): Extent {
  return { start, end };
}

export type MatmulAxis = "batch" | "m" | "n" | "k";

/** A part of a product. A part that does not start at k = 0 is added to the output. */
export type MatmulPart = Readonly<Record<MatmulAxis, Extent>>;

/** An operand or the output: its axes, outermost first, and their strides in elements. */
export interface MatmulOperand {
  readonly tensor: Tensor;
  readonly axes: readonly [MatmulAxis, MatmulAxis, MatmulAxis];
  /** Elements between neighbours along each axis; 0 when the batch shares one matrix. */
  readonly strides: readonly [number, number, number];
}

// An axis is cut at multiples of this, so that the parts keep whole tiles and whole 16-byte vectors.
const grain = 64;

/**
 * Cuts a product into parts whose operands can each be bound on this device. Each cut halves the outermost axis of an operand
 * that is too large, because only that makes its span in memory shorter.
 */
export function splitMatmul(device: Device, operands: readonly MatmulOperand[], whole: MatmulPart): MatmulPart[] {
  const { maxBindingBytes } = device.capabilities;
  for (const operand of operands) {
    if (bind(operand, whole).binding.size <= maxBindingBytes) continue;
    const axis = operand.axes.find((_, i) => operand.strides[i]! > 0 && length(whole, operand.axes[i]!) > 1);
    if (!axis) continue;
    const { start, end } = whole[axis];
    const half = Math.ceil((end - start) / 2);
    const middle = start + (half > grain ? Math.ceil(half / grain) * grain : half);
    const parts = [extent(start, middle), extent(middle, end)].map((range) => ({ ...whole, [axis]: range }));
    return parts.flatMap((part) => splitMatmul(device, operands, part));
  }
  return [whole];
}

function length(part: MatmulPart, axis: MatmulAxis): number {
  return part[axis].end - part[axis].start;
}

type BindingRange = Exclude<Binding, Tensor>;

/** The bytes of an operand that a part reads or writes, and the indices within them of the part's first element and of the one after its last. */
export function bind(
  { tensor, axes, strides }: MatmulOperand,
  part: MatmulPart,
): { binding: BindingRange; first: number; end: number } {
  const { dtype, device } = tensor;
  let first = 0;
  let last = 0;
  for (const [i, axis] of axes.entries()) {
    first += part[axis].start * strides[i]!;
    last += Math.max(part[axis].end - 1, 0) * strides[i]!;
  }
  const elementBytes = byteLength(dtype, 2) / 2;
  const { bindingAlignment } = device.capabilities;
  const offset = Math.floor((first * elementBytes) / bindingAlignment) * bindingAlignment;
  const endByte = Math.ceil(((last + 1) * elementBytes) / 4) * 4;
  const start = offset / elementBytes;
  return { binding: { tensor, offset, size: endByte - offset }, first: first - start, end: last + 1 - start };
}

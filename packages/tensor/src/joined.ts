import { bytesPerElement, type DType } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { type Shape, show, sizeOf } from "./shape.ts";
import type { Device, Tensor } from "./tensor.ts";
import { viewAt } from "./view-at.ts";

// Weights that multiply the same input lie one after another in one buffer, so that one product can read them as one matrix. Each is still
// a tensor of its own to whoever tells tensors by their storage: a tape, an optimizer, a file.

/**
 * A tensor cut along its first axis, without a copy. Each part is a value of its own: a tape that watches the parts gives each its
 * gradient. They belong to the innermost open scope, and the buffer goes back when the last of them is released.
 * @param rows of each part, in all those of the tensor
 * @returns null where a part would not begin at a byte that kernels can bind
 */
export function split<D extends DType, const R extends readonly number[]>(
  whole: Tensor<Shape, D>,
  rows: R,
): { [I in keyof R]: Tensor<Shape, D> } | null {
  const count = rows.reduce((sum, more) => sum + more, 0);
  if (count !== whole.shape[0])
    throw new ShapeError(
      `split: ${whole.label} ${show(whole.shape)} has ${whole.shape[0]} rows, and its parts ${count}`,
    );
  if (!beginAligned(whole.device, rows, whole.shape.slice(1), whole.dtype)) return null;
  const parts = partsAt(whole, rows, () => whole.label);
  for (const part of parts) whole.device.own(part);
  return parts as { [I in keyof R]: Tensor<Shape, D> };
}

/**
 * The tensor that adjacent parts make along their first axis, without a copy: what {@link split} cuts, and `together` lays out as one group. It
 * is another value than its parts, so operations on it are not recorded as operations on them.
 * @returns null where the tensors do not lie one after another, in this order
 */
export function joined<D extends DType>(parts: readonly Tensor<Shape, D>[]): Tensor<Shape, D> | null {
  const [first] = parts as [Tensor<Shape, D>];
  const { device, dtype, storage } = first;
  const inner = first.shape.slice(1);
  let end = storage.offset;
  for (const part of parts) {
    const { buffer, offset } = part.storage;
    if (buffer !== storage.buffer || offset !== end || part.dtype !== dtype) return null;
    if (`${part.shape.slice(1)}` !== `${inner}`) return null;
    end += part.size * bytesPerElement[dtype];
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const whole = viewAt(first, 0, [rows, ...inner]);
  device.own(whole);
  return whole;
}

function beginAligned({ capabilities }: Device, rows: readonly number[], inner: Shape, dtype: DType): boolean {
  const { bindingAlignment } = capabilities;
  const rowBytes = sizeOf(inner) * bytesPerElement[dtype];
  return rows.slice(0, -1).every((count) => (count * rowBytes) % bindingAlignment === 0);
}

function partsAt<D extends DType>(
  whole: Tensor<Shape, D>,
  rows: readonly number[],
  labelOf: (part: number) => string,
): Tensor<Shape, D>[] {
  const inner = whole.shape.slice(1);
  let begin = 0;
  return rows.map((count, i) => {
    const part = viewAt(whole, begin, [count, ...inner], labelOf(i));
    begin += part.bytes;
    return part;
  });
}

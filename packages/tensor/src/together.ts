import { bytesPerElement, type DType } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";
import type { Device, Tensor } from "./tensor.ts";
import { viewAt } from "./view-at.ts";

// Tensors that kernels go through together, such as all parameters of a model, lie in few buffers: then one dispatch can reach many of them.

interface Part {
  readonly shape: Shape;
  readonly label: string;
}

/** A part in its buffer, with the bytes to the next one's begin. */
interface Placed extends Part {
  readonly bytes: number;
}

/**
 * Tensors with undefined values, as `device.lasting` makes them, in as few buffers as can be: each buffer is no larger than one binding, or
 * holds one tensor. Every tensor begins at a byte that kernels can bind, and else they leave no gap. They belong to no scope.
 * @param groups tensors of a group share a buffer where one holds them
 */
export function together<D extends DType>(
  device: Device,
  groups: readonly (readonly Part[])[],
  dtype: D,
): Tensor<Shape, D>[] {
  return buffersOf(device, groups, dtype).flatMap((parts) => {
    const [first, ...rest] = parts as [Placed, ...Placed[]];
    if (rest.length === 0) return [device.lasting(first.shape, dtype, first.label)];
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    using whole = device.lasting([bytes / bytesPerElement[dtype]], dtype, `${first.label} and ${rest.length} more`);
    let begin = 0;
    return parts.map(({ shape, label, bytes }) => {
      const made = viewAt(whole, begin, shape, label);
      begin += bytes;
      return made;
    });
  });
}

/** The bytes of memory that each tensor takes where {@link together} makes it. */
export function bytesTogether(device: Device, groups: readonly (readonly Part[])[], dtype: DType): number[] {
  return buffersOf(device, groups, dtype).flatMap((parts) =>
    parts.map(({ bytes }) => (parts.length === 1 ? device.pool.sizeOf(bytes, true) : bytes)),
  );
}

function buffersOf(device: Device, groups: readonly (readonly Part[])[], dtype: DType): Placed[][] {
  const most = Math.min(device.capabilities.maxBindingBytes, device.capabilities.maxBufferBytes);
  const total = (parts: readonly Placed[]) => parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const buffers: Placed[][] = [];
  for (const group of groups) {
    const placed = group.map((part) => ({ ...part, bytes: room(device, sizeOf(part.shape) * bytesPerElement[dtype]) }));
    for (const unit of total(placed) <= most ? [placed] : placed.map((part) => [part])) {
      const last = buffers.at(-1);
      if (last && total(last) + total(unit) <= most) last.push(...unit);
      else buffers.push([...unit]);
    }
  }
  return buffers;
}

/** Whether `next` begins in the same buffer where `tensor` ends, but for what aligns it. */
export function follows(tensor: Tensor, next: Tensor): boolean {
  const [one, other] = [tensor.storage, next.storage];
  return other.buffer === one.buffer && other.offset === one.offset + room(tensor.device, tensor.bytes);
}

/**
 * All that lies from the begin of one tensor to the end of another in its buffer, as one row of elements: of tensors of which each
 * {@link follows} the one before. It belongs to no scope, and is another value than the tensors.
 */
export function stretch<D extends DType>(first: Tensor<Shape, D>, last: Tensor<Shape, D>): Tensor<Shape, D> {
  const elements = (last.storage.offset - first.storage.offset) / bytesPerElement[first.dtype] + last.size;
  return viewAt(first, 0, [elements]);
}

/** From a tensor's begin to the next place where a tensor may begin. */
function room({ capabilities }: Device, bytes: number): number {
  const { bindingAlignment } = capabilities;
  return Math.max(1, Math.ceil(bytes / bindingAlignment)) * bindingAlignment;
}

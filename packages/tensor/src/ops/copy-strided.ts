import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { perLane } from "./parts.ts";
import { collapse, stridesOf, walkParams } from "./strides.ts";

/** One side of a copy: the element where it starts, and the strides of its axes. By default it is row-major from element 0. */
interface Side {
  readonly tensor: Tensor;
  readonly strides?: readonly number[];
  readonly offset?: number;
}

/** Copies `sizes` 32-bit elements from one strided layout to another. Each side must fit one binding. */
export function copyStrided(operation: string, sizes: Shape, from: Side, to: Side): void {
  const { device } = from.tensor;
  const count = sizeOf(sizes);
  const rowMajor = stridesOf(sizes);
  const walk = collapse(operation, sizes, from.strides ?? rowMajor, to.strides ?? rowMajor);
  device.dispatch({
    kernel: "copy_strided",
    constants: { RANK: walk.sizes.length },
    bindings: { x: from.tensor, out: to.tensor },
    params: { ...walkParams(walk, count), p_offset: from.offset ?? 0, q_offset: to.offset ?? 0 },
    workgroups: device.grid(perLane(count)),
  });
}

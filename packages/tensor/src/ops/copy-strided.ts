import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { perTurns, planTurns } from "./parts.ts";
import { wideOf } from "./row-plan.ts";
import { collapse, itemsOf, stridesOf, walkParams } from "./strides.ts";

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
  const [pOffset, qOffset] = [from.offset ?? 0, to.offset ?? 0];
  const walk = collapse(operation, sizes, from.strides ?? rowMajor, to.strides ?? rowMajor);
  const inVectors = walk.p.at(-1) === 1 && walk.q.at(-1) === 1 && wideOf(pOffset, qOffset) === 4;
  const { wide, items } = itemsOf(walk, inVectors);
  const TURNS = planTurns(device.capabilities);
  device.dispatch({
    kernel: "copy_strided",
    constants: { RANK: items.sizes.length, WIDE: wide, TURNS },
    bindings: { x: from.tensor, out: to.tensor },
    params: walkParams(items, count / wide, pOffset / wide, qOffset / wide),
    workgroups: device.grid(perTurns(count / wide, TURNS)),
  });
}

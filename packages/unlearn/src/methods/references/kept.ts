import type { Device, F32, MemoryNeed, Shape } from "@lethe/tensor";
import type { Role } from "../method.ts";
import type { ComputeReferences, Reference, References } from "./form.ts";

/** A {@link Reference} that gives its memory back. */
export interface KeptReference extends Reference, Disposable {}

/** The tensors of a batch as they are kept, by role. */
export function keptBatch(
  computed: ReturnType<ComputeReferences>,
  keep: (made: F32) => KeptReference,
): { readonly [R in Role]?: KeptReference } {
  return Object.fromEntries(Object.entries(computed).map(([role, made]) => [role, keep(made)]));
}

/** Gives back the memory of a batch. */
export function disposeBatch(batch: { readonly [R in Role]?: KeptReference }): void {
  for (const kept of Object.values(batch)) kept[Symbol.dispose]();
}

/** References that are computed once, before the first step. @param keep takes over a tensor that belongs to no scope */
export function keptReferences(compute: ComputeReferences, keep: (made: F32) => KeptReference): References {
  const batches = new Map<number, ReturnType<typeof keptBatch>>();
  return {
    prepare: (batch) => void batches.set(batch, keptBatch(compute(batch), keep)),
    of: (batch) => batches.get(batch)!,
    release() {},
    [Symbol.dispose]() {
      for (const batch of batches.values()) disposeBatch(batch);
    },
  };
}

/** The memory of everything that is computed. @param bytesOf what is kept of a tensor takes */
export function keptMemory(batches: readonly (readonly Shape[])[], bytesOf: (shape: Shape) => number): MemoryNeed[] {
  return batches.flatMap((shapes, i) =>
    shapes.map((shape) => ({ part: "what the reference model gives", name: `batch ${i + 1}`, bytes: bytesOf(shape) })),
  );
}

/** Bytes of a tensor that an operation makes. */
export function bytesInF32(device: Device, shape: Shape): number {
  return device.pool.sizeOf(4 * shape.reduce((product, dim) => product * dim, 1));
}

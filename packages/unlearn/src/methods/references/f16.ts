import { castInto, embedding, type F32, type Shape } from "@lethe/tensor";
import { inF32 } from "./f32.ts";
import type { ReferenceForm } from "./form.ts";
import { bytesInF32, type KeptReference, keptMemory, keptReferences } from "./kept.ts";

/** Whether a tensor is kept in f16: it has a row of numbers for each token. */
function isWide(shape: Shape): boolean {
  return shape.length > 1;
}

function asMatrix([rows, ...rest]: Shape): readonly [number, number] {
  return [rows!, rest.reduce((product, dim) => product * dim, 1)];
}

/** A tensor rounded to f16. */
function inF16(made: F32): KeptReference {
  if (!isWide(made.shape)) return inF32(made);
  const { device, shape } = made;
  const matrix = asMatrix(shape);
  const kept = device.lasting(matrix, "f16", "what the reference model gives");
  {
    using _ = device.scope("reference in f16");
    castInto(kept, made.reshape(matrix));
  }
  made.dispose();
  const rows = (start: number, end: number) => {
    const wanted = Uint32Array.from({ length: end - start }, (_, i) => start + i);
    const widened = embedding(kept, device.tensor(wanted, [end - start], "u32", "rows of the reference"));
    return widened.reshape([end - start, ...shape.slice(1)]);
  };
  return {
    shape,
    bytes: kept.bytes,
    whole: () => rows(0, shape[0]!),
    rows,
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/**
 * What the reference gives is computed once; of tensors that have a row of numbers for each token (log probabilities `[N, V]`, residual
 * streams `[N, d]`) the numbers are rounded to f16, and widened again a piece at a time. A number x is then off by up to 2⁻¹¹ |x|: a log
 * probability of −10 by 0.005, one of −2048 by 1. Log probabilities fit f16, whose largest number is 65,504. A divergence from them
 * normalises their probabilities again, so it is never negative; a model's divergence from its own rounded probabilities is half the variance
 * of the errors, at most 2⁻²³ E[(log p)²]. An element of a residual stream above 65,504 would become infinite, and end the training with an
 * error.
 *
 * Tensors of one axis stay in f32. They are small, and the negative log likelihood of a sequence of hundreds of tokens lies above 2048,
 * where f16 has only even numbers.
 */
export const f16 = {
  name: "f16",
  description: "computed once; rows of numbers for each token, such as log probabilities, are kept in f16",
  runsInTraining: false,
  memory: (device, batches) =>
    keptMemory(batches, (shape) => {
      const [rows, width] = asMatrix(shape);
      return isWide(shape) ? device.pool.sizeOf(2 * rows * width, true) : bytesInF32(device, shape);
    }),
  open: (compute) => keptReferences(compute, inF16),
} as const satisfies ReferenceForm;

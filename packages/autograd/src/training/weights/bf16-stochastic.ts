import { castInto, type Device, roundInto, type Shape, seedOf, type Tensor } from "@lethe/tensor";
import { elements } from "../in-memory.ts";
import type { Weights } from "./weights.ts";

/** Elements that are widened at once: 16 MiB of scratch. */
const most = 2 ** 22;

/** Elements of a part, of which each begins at a byte that kernels can bind. */
function partOf({ capabilities }: Device, shape: Shape, grain: number): number {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const unit = lcm(grain, capabilities.bindingAlignment / 2);
  return Math.min(size, Math.max(1, Math.floor(most / unit)) * unit);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const lcm = (a: number, b: number): number => (a / gcd(a, b)) * b;

/**
 * Weights in bf16 without a copy: a part is widened to f32, updated, and rounded up or down at random, so that the mean of what is kept is
 * what was computed (Gupta et al. 2015, arXiv 1502.02551). A change that is smaller than half a unit of the last digit, which rounding to
 * nearest would lose, is so kept on average. 2 bytes a parameter, and {@link most} f32 values of scratch.
 */
export const bf16Stochastic = {
  name: "bf16-stochastic",
  description: "bf16 alone, where each update is rounded up or down at random, 2 bytes",
  dtype: "bf16",
  copies: () => [],
  scratch: (device, shape, grain) => device.pool.sizeOf(4 * partOf(device, shape, grain)),
  follows: () => false,
  write: (weight, values, stream) => roundInto(weight as Tensor<Shape, "bf16">, values, stream),
  update([held], step, { grain, seed, step: count }) {
    const { name, parameter } = held!.trainable;
    const { device, shape, size } = parameter;
    const length = partOf(device, shape, grain);
    const scratch = device.empty([length], "f32", "widened weights");
    for (let start = 0; start < size; start += length) {
      const number = Math.min(length, size - start);
      const [weights, values] = [elements(parameter, start, number), elements(scratch, 0, number)];
      castInto(values, weights);
      step(values, start);
      // Every part has a stream of its own.
      roundInto(weights as Tensor<Shape, "bf16">, values, { seed: seedOf("rounding", seed, name, start), step: count });
    }
  },
} as const satisfies Weights;

import { atLeast, options } from "../arguments.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkShapes } from "./check.ts";
import { bf16, checked, f32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { perTurns, planTurns, runItems } from "./parts.ts";
import { wordsOf } from "./random.ts";

/**
 * Writes x into a bf16 tensor of its shape by stochastic rounding (Gupta et al. 2015). Of the two bf16 around a number, the one further from 0
 * is taken with a probability that is the number's distance from the other, in units of the distance between the two. So the mean error
 * is 0, and steps too small to change the nearest bf16 are not lost: a weight can be trained without an f32 copy. What bf16 holds stays, and so do NaN and
 * infinities. A number beyond the largest finite bf16, 3.39 · 10³⁸, is rounded to nearest, as `castInto` does it.
 *
 * Element i depends on x, the seed, the step and i alone, with the same bits on every adapter. Tensors that are rounded in one step need
 * seeds of their own; otherwise all get the same random numbers.
 * @throws {ShapeError} when the shapes differ
 */
export const roundInto = checked(
  "roundInto",
  { target: bf16, x: f32, options: options({ seed: atLeast(0), step: atLeast(0) }) },
  (target: Tensor<Shape, "bf16">, x: F32, { seed, step }: { readonly seed: number; readonly step: number }): void => {
    checkShapes("roundInto", { x }, target.shape);
    const turns = planTurns(x.device.capabilities);
    const [seed_low, seed_high] = wordsOf(seed);
    const [step_low, step_high] = wordsOf(step);
    runItems(x.device, {
      kernel: "round_stochastic",
      constants: { TURNS: turns },
      items: x.size,
      workgroups: (count) => perTurns(Math.ceil(count / 8), turns),
      split: { x: [x, 1], out: [target, 1] },
      params: (count, start) => ({ count, first: start / 8, seed_low, seed_high, step_low, step_high }),
    });
  },
);

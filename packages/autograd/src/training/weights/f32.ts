import { castInto, type F32, follows, stretch } from "@lethe/tensor";
import type { Held, Weights } from "./weights.ts";

const values = ({ trainable }: Held) => trainable.parameter as F32;

/** Weights in f32, updated in place: 4 bytes a parameter. */
export const f32Weights = {
  name: "f32",
  description: "f32, updated in place, 4 bytes a parameter",
  dtype: "f32",
  copies: () => [],
  scratch: () => 0,
  follows: (one, next) => follows(values(one), values(next)),
  write: (weight, values) => castInto(weight, values),
  update(run, step) {
    using whole = stretch(values(run[0]!), values(run.at(-1)!));
    step(whole, 0);
  },
} as const satisfies Weights;

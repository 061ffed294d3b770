import { castInto, type F32, follows, stretch } from "@lethe/tensor";
import { laidOut } from "../in-memory.ts";
import type { Held, Weights } from "./weights.ts";

const copy = { name: "fp32_param", part: "f32 copies of the weights" };
const master = ({ copy }: Held) => copy!;

/**
 * Weights in bf16 with an f32 copy of each (Micikevicius et al. 2018, arXiv 1710.03740, section 3.1): a step updates the copy, and the weight
 * is the copy rounded to nearest. 2 + 4 bytes a parameter. The copy is called `NAME.fp32_param`, as Megatron-LM calls it.
 */
export const bf16Masters = {
  name: "bf16-masters",
  description: "bf16 beside f32 copies that are updated, 6 bytes",
  dtype: "bf16",
  copy,
  copies(trainables) {
    const wanted = trainables.map(({ name, parameter: { shape } }) => ({ shape, label: `${name}.${copy.name}` }));
    const copies = laidOut(trainables[0]!.parameter, wanted, "f32");
    for (const [i, copy] of copies.entries()) castInto(copy, trainables[i]!.parameter);
    return copies;
  },
  scratch: () => 0,
  follows: (one, next) => follows(master(one), master(next)),
  write: (weight, values) => castInto(weight, values),
  update(run, step) {
    using whole: F32 = stretch(master(run[0]!), master(run.at(-1)!));
    step(whole, 0);
    for (const held of run) castInto(held.trainable.parameter, master(held));
  },
} as const satisfies Weights;

import type { Decoder } from "@lethe/decoder";
import { type F32, type Ops, ops, type Tensor } from "@lethe/tensor";
import { passOver, selectTrainable, Tape, tokenNll } from "../../src/index.ts";

/** For each weight of a model, how far its gradient by an arithmetic lies from that of f32, as a share of the gradient's norm. */
export async function gradientDistances(
  model: Decoder,
  texts: readonly number[][],
  arithmetic: Ops,
): Promise<number[]> {
  const { device } = model;
  const trained = selectTrainable(model.weights).map(({ parameter }) => parameter);
  const gradientsIn = async (base: Ops) => {
    using _ = device.scope("step");
    using tape = new Tape(base);
    tape.watch(trained);
    const loss = device.scoped("forward", () => tokenNll(tape.ops, passOver(model, texts, { ops: tape.ops })));
    const gradients: Map<Tensor, F32> = tape.backward(loss);
    return Promise.all(trained.map((parameter) => gradients.get(parameter)!.read()));
  };
  const [coarse, fine] = [await gradientsIn(arithmetic), await gradientsIn(ops)];
  return coarse.map(
    (gradient, i) => Math.hypot(...gradient.map((value, j) => value - fine[i]![j]!)) / Math.hypot(...fine[i]!),
  );
}

import { ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { slope } from "@lethe/testing/gradient";
import { integer } from "@lethe/testing/random";
import { inputs, lossOf, parameters, type Values } from "@lethe/testing/tiny-model";
import { describe, expect, test } from "vitest";
import { Tape } from "../src/tape.ts";

const device = await testDevice();

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

const onDevice = ({ values, shape, dtype }: Values): Tensor => device.tensor(values, shape, dtype, "given");

/** Loss and gradients of every parameter, with or without checkpointed blocks. */
async function train(weights: Record<string, Values>, given: Record<string, Values>, checkpointed: boolean) {
  using _ = device.scope("train");
  using tape = new Tape(ops);
  const [w, x] = [mapValues(weights, onDevice), mapValues(given, onDevice)];
  tape.watch(Object.values(w));
  const loss = device.scoped("forward", () =>
    lossOf(tape.ops, w, x as never, checkpointed ? (y, run) => tape.checkpoint(y, run) : undefined),
  );
  const gradients = tape.backward(loss);
  const read = Object.entries(w).map(async ([name, p]) => [name, await gradients.get(p)!.read()] as const);
  return { loss: await loss.item(), gradients: Object.fromEntries(await Promise.all(read)) };
}

/** Elements checked of each parameter: enough to see a wrong row, column or head. */
const samples = 24;

describe("a whole model", () => {
  test("loss and gradients of every parameter agree with float64; checkpointing changes no bit", async () => {
    const [weights, given] = [parameters(), inputs()];
    const plain = await train(weights, given, false);

    const toFloat64 = ({ shape, values }: Values) => array64(shape, Array.from(values));
    const [w, x] = [mapValues(weights, toFloat64), mapValues(given, toFloat64)];
    const lossNow = () => (lossOf(float64Ops, w as never, x as never) as unknown as Array64).data[0]!;
    expectClose([plain.loss], [lossNow()], { label: "loss" });
    for (const [name, gradient] of Object.entries(plain.gradients)) {
      const parameter = w[name]!;
      const elements = Array.from({ length: samples }, () => integer(0, parameter.data.length - 1));
      expectClose(
        elements.map((i) => gradient[i]!),
        elements.map((i) => slope(lossNow, parameter.data, i)),
        { label: `gradient of ${name}` },
      );
    }

    expect(await train(weights, given, true)).toEqual(plain);
    expect(await train(weights, given, false)).toEqual(plain);
  });
});

import { bf16Linears, type F32, type Ops, ops, wrapOps } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import { Lora, Tape } from "../../src/index.ts";

const device = await testDevice();

/** The loss as the two operations that it is made of. */
const apart = (base: Ops): Ops["linearCrossEntropy"] => {
  return (x, weight, labels, options) => base.crossEntropy(base.linear(x, weight as never) as F32, labels, options);
};

describe.each([
  ["whole logits", 7, 45],
  ["logits in blocks", 1030, 8200],
])("%s", (_, rows, vocabulary) => {
  const width = 6;
  const x = device.tensor(normal(rows * width), [rows, width]);
  const weight = device.tensor(normal(vocabulary * width), [vocabulary, width]);
  const labels = device.tensor(
    Array.from({ length: rows }, (_, row) => (row === 3 ? -100 : integer(0, vocabulary - 1))),
    [rows],
    "i32",
  );
  const lora = new Lora([["lm_head.weight", weight]], { rank: 2, alpha: 3, seed: 1, accepts: () => true });
  device.writeBytes(lora.trainables[1]!.parameter, 0, new Uint8Array(Float32Array.from(normal(2 * vocabulary)).buffer));
  afterAll(() => lora[Symbol.dispose]());

  test.each<[string, Ops, (tapeOps: Ops) => Ops]>([
    ["f32", ops, (taped) => taped],
    ["bf16", bf16Linears(ops), (taped) => taped],
    ["bf16 in forward alone", ops, bf16Linears],
    ["a low-rank update of the weight", ops, (taped) => lora.over(taped)],
  ])("of %s and its gradients are those of linear and crossEntropy", async (_, base, over) => {
    using _scope = device.scope("test");
    const watched = [x, weight, ...lora.trainables.map(({ parameter }) => parameter)];
    const run = async (lossOf: (arithmetic: Ops) => Ops["linearCrossEntropy"]) => {
      using tape = new Tape(base);
      tape.watch(watched);
      const loss = device.scoped("forward", () => lossOf(over(tape.ops))(x, weight, labels, { reduction: "mean" }));
      const gradients = tape.backward(loss);
      return Promise.all([loss, ...watched.map((each) => gradients.get(each))].map((tensor) => tensor?.read()));
    };
    const [found, expected] = [await run((arithmetic) => arithmetic.linearCrossEntropy), await run(apart)];
    expect(found.map((values) => values?.length)).toEqual(expected.map((values) => values?.length));
    for (const [i, values] of found.entries()) if (values) expectClose(values, expected[i]!, { label: `result ${i}` });
  });
});

test("without a tape it computes through the products of its arithmetic alone", () => {
  const called: string[] = [];
  const counted = wrapOps(ops, (name, call) => (...operands) => {
    called.push(name);
    return call(...operands);
  });
  using _ = device.scope("test");
  const labels = device.tensor([0, 1], [2], "i32");
  const [x, weight] = [device.tensor(normal(6), [2, 3]), device.tensor(normal(12), [4, 3])];
  bf16Linears(counted).linearCrossEntropy(x, weight, labels, { reduction: "none" });
  expect(called.filter((name) => name !== "cast")).toEqual(["linear"]);
});

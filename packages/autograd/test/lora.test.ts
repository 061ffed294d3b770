import { type F32, ops, type Tensor, type Weight } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { slope } from "@lethe/testing/gradient";
import { integer, normal } from "@lethe/testing/random";
import { inputs, lossOf, parameters, type Values } from "@lethe/testing/tiny-model";
import { describe, expect, test } from "vitest";
import { Lora, Tape } from "../src/index.ts";

const device = await testDevice();

const settings = { rank: 2, alpha: 3, seed: 1 };
const scale = settings.alpha / settings.rank;
const isMatrix = (name: string) => !name.endsWith("norm.weight");

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

const onDevice = ({ values, shape, dtype }: Values): Tensor => device.tensor(values, shape, dtype, "given");
const random = (...shape: number[]): F32 => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return device.tensor(normal(size, 0.4), shape, "f32", "random");
};

/** A and B as after some training: B starts from zeros. */
function moved(lora: Lora): Lora {
  for (const { name, parameter } of lora.trainables)
    if (name.includes("lora_B")) ops.addInto(parameter, random(...parameter.shape));
  return lora;
}

/** The same matrices in float64, and the weights that they make of `weights`. */
async function toFloat64(lora: Lora, weights: Readonly<Record<string, Array64>>) {
  const matrices = new Map<string, Array64>();
  for (const { name, parameter } of lora.trainables)
    matrices.set(name, array64(parameter.shape, await parameter.read()));
  const matrix = (name: string, which: string) =>
    matrices.get(name.replace(/weight$/, () => `${which}.weight`)) as never;
  const effective = () =>
    Object.fromEntries(
      Object.entries(weights).map(([name, weight]) => {
        if (!isMatrix(name)) return [name, weight];
        const product = float64Ops.matmul(matrix(name, "lora_B"), matrix(name, "lora_A"));
        return [name, float64Ops.add(weight as never, float64Ops.affine(product as never, { factor: scale }))];
      }),
    );
  return { matrices, effective };
}

describe("a whole model with an update of every matrix", () => {
  test("loss and the gradients of A and B agree with float64; checkpointing changes no bit", async () => {
    const [weights, given] = [mapValues(parameters(), onDevice), mapValues(inputs(), onDevice)];
    using lora = moved(new Lora(Object.entries(weights) as [string, Weight][], { ...settings, accepts: isMatrix }));
    const run = async (checkpointed: boolean) => {
      using _ = device.scope("run");
      using tape = new Tape(ops);
      tape.watch(lora.trainables.map(({ parameter }) => parameter));
      const wrap = checkpointed ? (x: F32, block: (x: F32) => F32) => tape.checkpoint(x, block) : undefined;
      const loss = device.scoped("forward", () => lossOf(lora.over(tape.ops), weights, given as never, wrap));
      const gradients = tape.backward(loss);
      const read = lora.trainables.map(async ({ name, parameter }) => {
        return [name, await gradients.get(parameter)!.read()] as const;
      });
      return { loss: await loss.item(), gradients: Object.fromEntries(await Promise.all(read)) };
    };
    const plain = await run(false);

    const read = async (tensors: Record<string, Tensor>) => {
      const entries = Object.entries(tensors).map(
        async ([name, t]) => [name, array64(t.shape, await t.read())] as const,
      );
      return Object.fromEntries(await Promise.all(entries));
    };
    const [w, x] = [await read(weights), await read(given)];
    const { matrices, effective } = await toFloat64(lora, w);
    const lossNow = () => (lossOf(float64Ops, effective() as never, x as never) as unknown as Array64).data[0]!;
    expectClose([plain.loss], [lossNow()], { label: "loss" });
    for (const [name, gradient] of Object.entries(plain.gradients)) {
      const parameter = matrices.get(name)!;
      const elements = Array.from({ length: 6 }, () => integer(0, parameter.data.length - 1));
      expectClose(
        elements.map((i) => gradient[i]!),
        elements.map((i) => slope(lossNow, parameter.data, i)),
        { label: `gradient of ${name}` },
      );
    }
    expect(await run(true)).toEqual(plain);
  });
});

describe("the operations over others", () => {
  const pair = (weight: Weight) => moved(new Lora([["it.weight", weight]], { ...settings, accepts: () => true }));
  const dims = { x: [2, 3, 5], transposed: [2, 5, 3] };

  test.each([false, true].flatMap((a) => [false, true].map((b) => [a, b] as const)))(
    "matmul with transposeA %s and transposeB %s computes with the merged matrix",
    async (transposeA, transposeB) => {
      const weight = transposeB ? random(4, 5) : random(5, 4);
      using lora = pair(weight);
      const x = random(...(transposeA ? dims.transposed : dims.x));
      const options = { transposeA, transposeB };
      const merged = lora.merge().get("it.weight")!;
      expectClose(await lora.over(ops).matmul(x, weight, options).read(), await ops.matmul(x, merged, options).read());
      merged.dispose();
    },
  );

  test("rows of an embedding, a packed weight and a view of it are those of the merged matrix", async () => {
    const weight = device.tensor(normal(21), [7, 3], "bf16");
    using lora = pair(weight);
    using merged = lora.merge().get("it.weight")!;
    const ids = device.tensor([6, 0, 6], [3], "u32");
    expectClose(await lora.over(ops).embedding(weight, ids).read(), await ops.embedding(merged, ids).read());
    const x = random(2, 3);
    const view = weight.reshape([7, 3]);
    expectClose(await lora.over(ops).linear(x, view).read(), await ops.linear(x, merged).read());
    expect(await lora.over(ops).effectiveWeight(weight).read()).toEqual(await merged.read());
    const other = random(7, 3);
    expect(await lora.over(ops).linear(x, other).read()).toEqual(await ops.linear(x, other).read());
  });

  test("a tape over them sends the gradient of the merged matrix to what lies before it", async () => {
    const [x, weight] = [random(2, 3), random(7, 3)];
    using lora = pair(weight);
    using merged = lora.merge().get("it.weight")!;
    const gradient = (arithmetic: typeof ops, by: F32) => {
      using tape = new Tape(arithmetic);
      tape.watch([x]);
      const loss = tape.ops.sum(tape.ops.unary(tape.ops.linear(x, by) as F32, { kind: "tanh" }));
      return tape.backward(loss).get(x)!.read();
    };
    expectClose(await gradient(lora.over(ops), weight), await gradient(ops, merged));
  });
});

describe("the update", () => {
  test("is zero at first, and the same for the same seed", async () => {
    const weight = random(7, 3);
    const entry = [["it.weight", weight]] as const;
    using first = new Lora(entry, { ...settings, accepts: () => true });
    using second = new Lora(entry, { ...settings, accepts: () => true });
    using merged = first.merge().get("it.weight")!;
    expect(await merged.read()).toEqual(await weight.read());
    const [a, b] = first.trainables;
    expect([a!.name, b!.name]).toEqual(["it.lora_A.weight", "it.lora_B.weight"]);
    expect(await a!.parameter.read()).toEqual(await second.trainables[0]!.parameter.read());
  });

  test("is one for a matrix under two names", () => {
    const weight = random(7, 3);
    const names = ["embed_tokens.weight", "lm_head.weight"];
    using lora = new Lora(
      names.map((name) => [name, weight] as const),
      { ...settings, accepts: () => true },
    );
    expect(lora.trainables).toHaveLength(2);
    const merged = lora.merge();
    expect([...merged.keys()]).toEqual(names);
    for (const tensor of merged.values()) tensor.dispose();
  });

  test("of a vector, of no weight, or with a wrong rank or alpha is an error", () => {
    const weights = [["norm.weight", random(3)]] as const;
    const make = (changes: object) => new Lora(weights, { ...settings, accepts: () => true, ...changes });
    expect(() => make({})).toThrow("norm.weight has shape [3]; only a matrix has a low-rank update");
    expect(() => make({ accepts: () => false })).toThrow("none of the weights is accepted");
    expect(() => make({ rank: 0 })).toThrow("settings.rank is 0; expected a whole number of at least 1");
    expect(() => make({ alpha: Number.NaN })).toThrow("settings.alpha is NaN; expected a finite number above 0");
  });
});

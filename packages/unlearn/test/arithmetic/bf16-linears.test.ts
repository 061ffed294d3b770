import { batchOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { bf16Linears, type Counts, countCalls, type F32, ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { Tape } from "../../src/index.ts";
import { gradientDistances } from "./gradient-distances.ts";

const device = await testDevice();
const arithmetic = bf16Linears(ops);
const texts = [
  [3, 9, 4, 17, 30],
  [8, 2, 40],
];

/** To nearest, ties to even, on the bits of f32. */
function toBf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = ((bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) >>> 16) << 16;
  return new Float32Array(bits.buffer)[0]!;
}

const rounded = ({ shape, data }: Array64) => array64(shape, data.map(toBf16)) as never;
const product = (a: Array64, b: Array64, options = {}) =>
  float64Ops.matmul(rounded(a), rounded(b), options) as unknown as Array64;

function pair(...shape: number[]): { tensor: F32; truth: Array64 } {
  const values = normal(shape.reduce((count, dim) => count * dim, 1));
  return { tensor: device.tensor(values, shape), truth: array64(shape, values) };
}

test("linear and matmul agree with float64 sums of rounded inputs, and so do their gradients under a tape", async () => {
  const [x, weight, seed] = [pair(5, 33), pair(7, 33), pair(5, 7)];
  for (const transposeB of [true, false]) {
    const w = transposeB ? weight : pair(33, 7);
    using tape = new Tape(arithmetic);
    tape.watch([x.tensor, w.tensor]);
    const y = (transposeB ? tape.ops.linear(x.tensor, w.tensor) : tape.ops.matmul(x.tensor, w.tensor)) as F32;
    expectClose(await y.read(), product(x.truth, w.truth, { transposeB }).data);
    const gradients = tape.backward(y, { seed: seed.tensor });
    const toX = product(seed.truth, w.truth, { transposeB: !transposeB });
    expectClose(await gradients.get(x.tensor)!.read(), toX.data, { label: "gradient of x" });
    const toW = transposeB
      ? product(seed.truth, x.truth, { transposeA: true })
      : product(x.truth, seed.truth, { transposeA: true });
    expectClose(await gradients.get(w.tensor)!.read(), toW.data, { label: "gradient of w" });
  }
});

test("over a tape's operations, forward alone is rounded", async () => {
  const [x, w, seed] = [pair(5, 33), pair(7, 33), pair(5, 7)];
  using tape = new Tape(ops);
  tape.watch([x.tensor, w.tensor]);
  const y = bf16Linears(tape.ops).linear(x.tensor, w.tensor) as F32;
  expectClose(await y.read(), product(x.truth, w.truth, { transposeB: true }).data);
  const gradients = tape.backward(y, { seed: seed.tensor });
  const toX = float64Ops.matmul(seed.truth as never, rounded(w.truth)) as unknown as Array64;
  expectClose(await gradients.get(x.tensor)!.read(), toX.data);
});

test("a model's gradients are near those of f32, and not the same", async () => {
  using model = smallLlama(device, 2);
  for (const distance of await gradientDistances(model, texts, arithmetic)) {
    expect(distance).toBeGreaterThan(1e-5);
    expect(distance).toBeLessThan(0.1);
  }
});

test("decoding with a KV cache gives the tokens of whole passes, each linear with rounded inputs", async () => {
  using model = smallLlama(device, 2);
  using _ = device.scope("decoding");
  const counts: Counts = new Map();
  const made = await model.generate(texts, {
    maxNewTokens: 5,
    stop: [],
    ops: bf16Linears(countCalls(ops, counts)),
  });
  // For each linear the weight once, and the input there and back.
  expect(counts.get("cast")).toBe(3 * counts.get("linear")!);
  for (const [i, text] of texts.entries()) {
    const tokens = [...text];
    for (const token of made[i]!.tokens) {
      const batch = batchOf(device, [tokens]);
      const rows = device.tensor([batch.row(0, -1)], [1], "u32");
      const [next] = await ops.argmax(model.forward(batch, { ops: arithmetic, rows })).read();
      expect(token).toBe(next);
      tokens.push(token);
    }
  }
});

test("a matrix restored at W_V is multiplied with rounded inputs too", async () => {
  using model = smallLlama(device, 2);
  using vanilla = smallLlama(device, 3);
  using _ = device.scope("hook");
  using seen = new Captures();
  const hooks = new Hooks().restore("W_V", [1], vanilla).capture("m.1", seen).capture("M.1", seen);
  model.forward(batchOf(device, texts), { ops: arithmetic, hooks });
  const [m, down] = [seen.get("m.1"), vanilla.tensorAt("W_V", 1)!];
  const truth = async (tensor: Tensor) => array64(tensor.shape, await tensor.read());
  const expected = product(await truth(m), await truth(down), { transposeB: true });
  expectClose(await seen.get("M.1").read(), expected.data);
});

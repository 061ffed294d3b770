import { type Counts, countCalls, type F32, ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { Tape } from "../src/tape.ts";

const device = await testDevice();

const vector = (...values: number[]): F32 => device.tensor(values, [values.length], "f32", "vector");
const random = (...shape: number[]): F32 =>
  device.tensor(
    normal(
      shape.reduce((a, b) => a * b, 1),
      0.5,
    ),
    shape,
    "f32",
    "random",
  );

/** A stack of tanh layers; `wrap` runs each. */
function stack(tape: Tape, x: F32, weights: readonly F32[], wrap = (y: F32, run: (y: F32) => F32) => run(y)): F32 {
  return weights.reduce(
    (y, weight) => wrap(y, (z) => tape.ops.unary(tape.ops.matmul(z, weight) as F32, { kind: "tanh" })),
    x,
  );
}

describe("gradients", () => {
  test("of a tensor used many times are summed, and a gradient shared by two tensors is not overwritten", async () => {
    using tape = new Tape(ops);
    const [x, y] = [vector(1, 2, 3), vector(4, 5, 6)];
    tape.watch([x, y]);
    const sum = tape.ops.add(x, y); // hands one gradient to both
    const loss = tape.ops.sum(tape.ops.add(tape.ops.mul(sum, x), tape.ops.add(x, x)));
    const gradients = tape.backward(loss); // Σ x² + xy + 2x
    expect([...(await gradients.get(x)!.read())]).toEqual([8, 11, 14]);
    expect([...(await gradients.get(y)!.read())]).toEqual([1, 2, 3]);
  });

  test("accumulate in place over several backward passes", async () => {
    using tape = new Tape(ops);
    const [x, y] = [vector(1, 2), vector(3, 4)];
    tape.watch([x, y]);
    const into = new Map<Tensor, F32>();
    for (const factor of [1, 10, 100])
      tape.backward(tape.ops.sum(tape.ops.affine(tape.ops.add(x, y), { factor })), { into });
    expect([...(await into.get(x)!.read())]).toEqual([111, 111]);
    expect([...(await into.get(y)!.read())]).toEqual([111, 111]);
  });

  test("pass through views, also those made with tensor.reshape", async () => {
    using tape = new Tape(ops);
    const x = device.tensor([1, 2, 3, 4], [2, 2], "f32", "x");
    tape.watch([x]);
    const flat = tape.ops.reshape(x, { shape: [4] });
    const loss = tape.ops.sum(tape.ops.mul(flat, x.reshape([4])));
    expect([...(await tape.backward(loss).get(x)!.read())]).toEqual([2, 4, 6, 8]);
  });

  test("pass through frozen packed weights", async () => {
    using tape = new Tape(ops);
    const x = random(3, 5);
    const values = [...normal(20)];
    const weight = device.tensor(values, [4, 5], "bf16", "weight");
    tape.watch([x]);
    const gradients = tape.backward(tape.ops.sum(tape.ops.linear(x, weight) as F32));
    const rounded = await weight.read();
    const expected = Array.from({ length: 15 }, (_, i) =>
      [0, 1, 2, 3].reduce((sum, row) => sum + rounded[row * 5 + (i % 5)]!, 0),
    );
    expectClose(await gradients.get(x)!.read(), expected);
  });

  test("are computed by the operations that the tape was given", async () => {
    const counts: Counts = new Map();
    using tape = new Tape(countCalls(ops, counts));
    const [x, weight, gain] = [random(3, 8), random(8, 8), random(8)];
    tape.watch([x, weight, gain]);
    const normed = tape.ops.rmsNorm(tape.ops.linear(x, weight) as F32, gain, { eps: 1e-5 });
    const loss = tape.ops.sum(tape.ops.add(tape.ops.swiglu(normed, x), x));
    counts.clear();
    const before = device.dispatches;
    tape.backward(loss);
    expect(device.dispatches).toBeGreaterThan(before);
    // Gradients of the linear, and three contributions to that of x.
    expect(Object.fromEntries(counts)).toMatchObject({ matmul: 2, rmsNormBackward: 1, swigluBackward: 1, expand: 1 });
    expect((counts.get("add") ?? 0) + (counts.get("addInto") ?? 0)).toBe(2);
  });

  test("of a weight's later uses are added in place, without a tensor of the weight's size", async () => {
    const table = device.tensor(normal(4000 * 16), [4000, 16], "f32", "tied weight") as F32;
    const ids = device.tensor([3, 1999, 3], [3], "u32");
    const run = (uses: number) => {
      using tape = new Tape(ops);
      tape.watch([table]);
      const into = new Map<Tensor, F32>();
      for (let use = 0; use < uses; use++) {
        const loss = device.scoped("forward", () =>
          tape.ops.mean(tape.ops.linear(tape.ops.embedding(table, ids) as F32, table) as F32),
        );
        device.pool.resetPeak();
        tape.backward(loss, { into });
      }
      return into.get(table)!;
    };
    const before = device.memory().bytesInUse;
    const once = run(1);
    // The gradient, and that of the 3 rows of 4000 logits.
    expect(device.memory().peakBytes - before).toBeLessThan(1.5 * table.bytes);
    const twice = run(2);
    const [one, two] = [await once.read(), await twice.read()];
    expectClose(
      two,
      one.map((value) => 2 * value),
    );
    once.dispose();
    twice.dispose();
  });

  test("are the same bits in every run", async () => {
    const [x, weights] = [random(7, 33), [random(33, 33), random(33, 33)]];
    const run = async () => {
      using tape = new Tape(ops);
      tape.watch(weights);
      const gradients = tape.backward(tape.ops.sum(stack(tape, x, weights)));
      return Promise.all(weights.map((weight) => gradients.get(weight)!.read()));
    };
    expect(await run()).toEqual(await run());
  });
});

describe("what is recorded", () => {
  test("nothing, when no operand depends on a watched tensor", () => {
    using tape = new Tape(ops);
    tape.watch([vector(1)]);
    const before = device.memory().bytesInUse;
    device.scoped("frozen", () => tape.ops.mul(vector(2), vector(3))).dispose();
    expect(device.memory().bytesInUse).toBe(before);
    expect(() => tape.backward(vector(1))).toThrow(/does not depend on any watched tensor/);
  });

  test("only what gradients read outlives the forward pass, and backward leaves nothing but gradients", () => {
    const [x, weights] = [random(16, 64), Array.from({ length: 6 }, () => random(64, 64))];
    const before = device.memory().bytesInUse;
    {
      using _ = device.scope("step");
      using tape = new Tape(ops);
      tape.watch(weights);
      const loss = device.scoped("forward", () => tape.ops.sum(stack(tape, x, weights)));
      // Each layer: the input of the matmul (which is the one before's tanh), and the input of tanh.
      const activation = 16 * 64 * 4;
      expect(device.memory().bytesInUse - before).toBe(11 * activation + 256);
      const gradients = tape.backward(loss);
      expect(device.memory().bytesInUse - before).toBe(6 * 64 * 64 * 4 + 256);
      expect(gradients.size).toBe(6);
    }
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("a forward pass without its backward is released with the tape", () => {
    const [x, weights] = [random(4, 8), [random(8, 8)]];
    const before = device.memory().bytesInUse;
    {
      using _ = device.scope("step");
      using tape = new Tape(ops);
      tape.watch(weights);
      stack(tape, x, weights, (y, run) => tape.checkpoint(y, run));
      stack(tape, x, weights);
    }
    expect(device.memory().bytesInUse).toBe(before);
  });
});

describe("checkpointing", () => {
  test("gives the same bits with less memory", async () => {
    const [x, weights] = [random(64, 32), Array.from({ length: 8 }, () => random(32, 32))];
    const deep = [0, 1, 2, 3].map((i) => weights.slice(2 * i, 2 * i + 2));
    const run = async (checkpointed: boolean) => {
      using _ = device.scope("step");
      using tape = new Tape(ops);
      tape.watch(weights);
      device.pool.resetPeak();
      const before = device.memory().bytesInUse;
      const loss = device.scoped("forward", () => {
        const block = (y: F32, layers: F32[]) => stack(tape, y, layers);
        const out = deep.reduce((y, layers) => {
          const wrapped = checkpointed ? tape.checkpoint(y, (z) => block(z, layers)) : block(y, layers);
          const kept = wrapped.retain();
          device.own(kept);
          return kept;
        }, x);
        return tape.ops.sum(out);
      });
      const gradients = tape.backward(loss);
      const peak = device.memory().peakBytes - before;
      return { peak, values: await Promise.all(weights.map((weight) => gradients.get(weight)!.read())) };
    };
    const [plain, checkpointed] = [await run(false), await run(true)];
    expect(checkpointed.values).toEqual(plain.values);
    expect(checkpointed.peak).toBeLessThan(0.75 * plain.peak);
  });

  test("keeps alive the tensors that a block reads from outside, also those in options", async () => {
    using tape = new Tape(ops);
    const q = random(2, 3, 1, 4);
    tape.watch([q]);
    const loss = device.scoped("forward", () => {
      const starts = device.tensor([0, 1], [2], "u32", "starts");
      const bias = vector(4, 5);
      return tape.ops.sum(
        tape.checkpoint(q, (x) => {
          const shifted = tape.ops.add(x, tape.ops.expand(bias, [2, 4], { axis: 1 }).reshape([2, 1, 1, 4])) as F32;
          return tape.ops.attention(shifted, shifted, shifted, { starts });
        }),
      );
    });
    const [gradient] = await Promise.all([tape.backward(loss).get(q)!.read()]);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  test("nests, and does not record frozen blocks", async () => {
    using tape = new Tape(ops);
    const [x, weight] = [random(3, 3), random(3, 3)];
    tape.watch([weight]);
    const frozen = tape.checkpoint(x, (y) => tape.ops.affine(y, { factor: 2 }));
    const out = tape.checkpoint(frozen, (y) => tape.checkpoint(y, (z) => tape.ops.matmul(z, weight) as F32));
    const gradient = await tape.backward(tape.ops.sum(out)).get(weight)!.read();
    const values = await x.read();
    const column = (k: number) => 2 * (values[k]! + values[3 + k]! + values[6 + k]!);
    expectClose(gradient, [0, 0, 0, 1, 1, 1, 2, 2, 2].map(column));
  });

  test("an inner value cannot be used outside its block, because it is not recorded", () => {
    using tape = new Tape(ops);
    const weight = random(3, 3);
    tape.watch([weight]);
    const leaked: F32[] = [];
    tape.checkpoint(random(3, 3), (x) => {
      const inner = tape.ops.matmul(x, weight) as F32;
      leaked.push(inner.retain());
      return tape.ops.affine(inner, { factor: 2 });
    });
    expect(() => tape.ops.sum(leaked[0]!)).toThrow(/sum: an operand was made inside a checkpointed block/);
    leaked[0]!.dispose();
  });
});

describe("errors", () => {
  test("whole numbers cannot be watched", () => {
    using tape = new Tape(ops);
    const ids = device.tensor([1, 2], [2], "u32", "token ids");
    expect(() => tape.watch([ids])).toThrow("token ids is u32; only floating-point numbers have gradients");
  });

  test("a loss that is no scalar needs a seed", () => {
    using tape = new Tape(ops);
    const x = vector(1, 2);
    tape.watch([x]);
    expect(() => tape.backward(tape.ops.affine(x, { factor: 2 }))).toThrow(/shape \[2\]; give a seed/);
  });

  test("an operation without a rule is named", () => {
    const twice = (x: F32) => ops.affine(x, { factor: 2 });
    using tape = new Tape({ ...ops, twice } as never);
    const x = vector(1);
    tape.watch([x]);
    expect(() => (tape.ops as unknown as { twice(x: F32): F32 }).twice(x)).toThrow(/twice has no gradient rule/);
  });

  test("a function without a rule takes no watched tensor, but for those that give indices", async () => {
    using tape = new Tape(ops);
    const x = vector(1, 3, 2);
    tape.watch([x]);
    expect(() => tape.ops.softmaxBackward(x, vector(1, 1, 1))).toThrow(/softmaxBackward has no gradient rule/);
    const cache = device.tensor([0, 0, 0, 0], [1, 1, 1, 4]);
    const row = tape.ops.reshape(tape.ops.concat(x, vector(0), { axis: 0 }), { shape: [1, 1, 1, 4] });
    expect(() => tape.ops.writeCache(cache, row, { at: 0 })).toThrow(/writeCache has no gradient rule/);
    expect([...(await tape.ops.argmax(x).read())]).toEqual([1]);
    expect(tape.ops.effectiveWeight(x)).toBe(x);
    expect(tape.ops.records).toBe(true);
  });

  test("watching what the tape has computed is refused", () => {
    using tape = new Tape(ops);
    const x = vector(1);
    tape.watch([x]);
    expect(() => tape.watch([tape.ops.affine(x, { factor: 2 })])).toThrow(/watch tensors before they are used/);
  });
});

import { type F32, openDevice, ops, together, zeros } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { expect, onTestFinished, test } from "vitest";
import { AdamW, Lora, selectTrainable, Tape, type Trainable } from "../../src/index.ts";

const device = await testDevice();
const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 0.5 };
const rate = 0.02;
/** Odd sizes, matrices that decay and vectors that do not, in an order that is not that of memory. */
const shapes = [[7], [3, 5], [1], [64, 4], [9, 11], [130], [2, 2]];
const order = [4, 0, 6, 2, 5, 1, 3];

/** AdamW in float64 with the global norm of all gradients clipped (Loshchilov & Hutter 2019, algorithm 2). */
function reference(starts: readonly Float32Array[], steps: readonly (readonly Float32Array[])[]) {
  const values = starts.map((start) => Float64Array.from(start));
  const [m, v] = [0, 1].map(() => starts.map((start) => new Float64Array(start.length)));
  for (const [step, gradients] of steps.entries()) {
    const norm = Math.sqrt(gradients.flatMap((g) => [...g]).reduce((sum, g) => sum + g * g, 0));
    const clip = Math.min(1, settings.clipNorm / (norm + 1e-6));
    for (const [p, gradient] of gradients.entries())
      for (const [i, raw] of gradient.entries()) {
        const g = raw * clip;
        m![p]![i] = settings.beta1 * m![p]![i]! + (1 - settings.beta1) * g;
        v![p]![i] = settings.beta2 * v![p]![i]! + (1 - settings.beta2) * g * g;
        const first = m![p]![i]! / (1 - settings.beta1 ** (step + 1));
        const second = v![p]![i]! / (1 - settings.beta2 ** (step + 1));
        if (shapes[p]!.length > 1) values[p]![i]! *= 1 - rate * settings.weightDecay;
        values[p]![i]! -= (rate * first) / (Math.sqrt(second) + settings.epsilon);
      }
  }
  return values;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);
const starts = shapes.map((shape) => normal(sizeOf(shape)));
const steps = [1, 2, 3].map(() => shapes.map((shape) => normal(sizeOf(shape))));

/** Trains parameters that lie together or apart, with gradients that do, and gives their values after all steps. */
async function trained(parametersTogether: boolean, gradientsTogether: boolean): Promise<Float32Array[]> {
  using _ = device.scope("test");
  const parts = order.map((i) => [{ shape: shapes[i]!, label: `${i}` }]);
  const laid = parametersTogether ? together(device, parts, "f32") : parts.map(([part]) => device.empty(part!.shape));
  const parameters = shapes.map((_, i) => laid[order.indexOf(i)] as F32);
  for (const [i, parameter] of parameters.entries()) device.writeBytes(parameter, 0, new Uint8Array(starts[i]!.buffer));
  const trainables = parameters.map((parameter, i): Trainable => ({ name: `${i}`, parameter }));
  using optimiser = new AdamW(trainables, settings);
  for (const gradients of steps) {
    const places = optimiser.gradientPlaces();
    const given = parameters.map((parameter, i) => {
      const loose = device.tensor(gradients[i]!, parameter.shape) as F32;
      if (!gradientsTogether) return [parameter, loose] as const;
      device.copyBytes(loose, 0, places.get(parameter)!, 0, loose.bytes);
      return [parameter, places.get(parameter)!] as const;
    });
    optimiser.update(new Map(given), rate);
    for (const place of places.values()) place.dispose();
  }
  const values = await Promise.all(parameters.map((parameter) => parameter.read()));
  for (const parameter of parameters) parameter.dispose();
  return values;
}

test("many parameters of odd sizes follow AdamW in float64, with the same bits wherever they lie", async () => {
  const expected = reference(starts, steps);
  const all = await trained(true, true);
  for (const [i, values] of all.entries()) expectClose(values, expected[i]!, { label: `parameter ${i}` });
  for (const [parameters, gradients] of [
    [true, false],
    [false, true],
    [false, false],
  ] as const)
    expect(await trained(parameters, gradients)).toEqual(all);
});

test("a parameter without a gradient, and columns but one, stay as they are", async () => {
  using _ = device.scope("test");
  const parts = [[5], [4, 3], [6], [7]].map((shape, i) => [{ shape, label: `${i}` }]);
  const parameters = together(device, parts, "f32") as F32[];
  for (const parameter of parameters)
    device.writeBytes(parameter, 0, new Uint8Array(new Float32Array(parameter.size).fill(1).buffer));
  const trainables = parameters.map((parameter, i): Trainable => {
    const whole = { name: `${i}`, parameter };
    return i === 1 ? { ...whole, column: 2 } : whole;
  });
  using optimiser = new AdamW(trainables, settings);
  const ones = (parameter: F32) => device.tensor(new Float32Array(parameter.size).fill(1), parameter.shape) as F32;
  const gradients = new Map(parameters.map((parameter) => [parameter, ones(parameter)]));
  gradients.delete(parameters[2]!);
  const { squares, names } = optimiser.gradientNorm(gradients);
  expect([names, [...(await squares.read())]]).toEqual([
    ["0", "1", "3"],
    [5, 4, 7],
  ]);
  optimiser.update(gradients, rate);
  const moved = await Promise.all(
    parameters.map(async (parameter) => [...(await parameter.read())].map((x) => x !== 1)),
  );
  expect(moved).toEqual([
    Array(5).fill(true),
    Array.from({ length: 12 }, (_, i) => i % 3 === 2),
    Array(6).fill(false),
    Array(7).fill(true),
  ]);
  for (const parameter of parameters) parameter.dispose();
});

test("gradients of a tape are written to their places, also where a value is used twice and over micro-batches", async () => {
  using _ = device.scope("test");
  const parameter = device.tensor(normal(12), [3, 4]);
  const x = device.tensor(normal(8), [2, 4]);
  using tape = new Tape(ops);
  tape.watch([parameter]);
  const run = (options: Parameters<Tape["backward"]>[1]) => {
    const loss = device.scoped("forward", () => {
      const squared = tape.ops.unary(parameter, { kind: "square" }) as F32;
      const product = tape.ops.linear(
        tape.ops.linear(x, parameter) as F32,
        tape.ops.permute(squared, { axes: [1, 0] }),
      );
      return tape.ops.add(tape.ops.sum(product as F32), tape.ops.sum(squared)) as F32;
    });
    return tape.backward(loss, options);
  };
  const plain = await run({}).get(parameter)!.read();
  const place = zeros(device, [3, 4]) as F32;
  const into = run({ places: new Map([[parameter, place]]) });
  expect(into.get(parameter)!.storage).toBe(place.storage);
  expectClose(await place.read(), plain);
  run({ into, places: new Map([[parameter, place]]) });
  expectClose(
    await place.read(),
    plain.map((value) => 2 * value),
  );
});

/** Dispatches of the second of two steps of a training, beyond those of its losses and gradients. */
async function dispatchesOfUpdate(lowRank: boolean): Promise<number> {
  const own = await openDevice();
  onTestFinished(() => own.destroy());
  const model = smallLlama(own, 2, { num_hidden_layers: 3 });
  const lora = lowRank
    ? new Lora(model.weights, { rank: 2, alpha: 2, seed: 1, accepts: (name) => /proj/.test(name) })
    : null;
  using optimiser = new AdamW(lora?.trainables ?? selectTrainable(model.weights), settings);
  const gradients = optimiser.gradientPlaces();
  const before = own.dispatches;
  const norm = optimiser.gradientNorm(gradients);
  optimiser.update(gradients, rate, norm);
  return own.dispatches - before;
}

test("the norms and the update of a whole model take four dispatches, those of its low-rank updates three", async () => {
  expect(await dispatchesOfUpdate(false)).toBe(4);
  expect(await dispatchesOfUpdate(true)).toBe(3);
});

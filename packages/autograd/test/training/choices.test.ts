import { castInto, type F32, openDevice, type Shape, type Tensor, together } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type AdamWSettings,
  makeOptimiser,
  type OptimiserName,
  optimisers,
  selectTrainable,
  trainedWeights,
  trainingMemory,
  type WeightsName,
} from "../../src/index.ts";

const device = await testDevice();
const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 0.5, seed: 7 };
/** Matrices that decay and vectors that do not, of sizes that fill no block and no word. */
const shapes = [[7], [3, 5], [1], [64, 41], [9, 11], [2300], [2, 2]];
const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

const choices = optimisers.flatMap(({ name: optimiser }) =>
  trainedWeights.map(({ name: weights }) => ({ optimiser, weights })),
);
type Choice = (typeof choices)[number];

const dtypeOf = (weights: WeightsName) => trainedWeights.find(({ name }) => name === weights)!.dtype;

/** Parameters as a model has them: together in a buffer, in the dtype of the weights, of values that bf16 holds. */
function parametersOf(
  on: typeof device,
  starts: readonly ArrayLike<number>[],
  shapes: readonly Shape[],
  weights: WeightsName,
) {
  const parts = shapes.map((shape, i) => [{ shape, label: `${i}.weight` }]);
  const made = together(on, parts, dtypeOf(weights));
  for (const [i, parameter] of made.entries()) {
    using values = on.tensor(starts[i]!, shapes[i]!, dtypeOf(weights), "start");
    castInto(parameter, values);
  }
  return made;
}

const bf16 = (values: Iterable<number>) => Array.from(values, (value) => rounded(value, "nearest"));

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** A bf16 beside a number: the nearest, or the next towards 0 or away from it. */
function rounded(value: number, to: "nearest" | "smaller" | "larger"): number {
  float[0] = value;
  const bits = word[0]!;
  const add = to === "nearest" ? 0x7fff + ((bits >>> 16) & 1) : to === "larger" ? 0xffff : 0;
  word[0] = (bits + add) & 0xffff0000;
  return float[0];
}

/** Makes updates by given gradients, and gives the parameters and the whole state. */
async function trained(
  { optimiser: name, weights }: Choice,
  {
    starts,
    shapes,
    steps,
    state,
    from = 0,
  }: {
    readonly starts: readonly ArrayLike<number>[];
    readonly shapes: readonly Shape[];
    readonly steps: readonly (readonly Float32Array[])[];
    readonly state?: ReadonlyMap<string, Uint8Array>;
    readonly from?: number;
  },
  changes: Partial<AdamWSettings> = {},
) {
  using _ = device.scope("test");
  const before = device.memory().bytesInUse;
  const parameters = parametersOf(device, starts, shapes, weights);
  const trainables = selectTrainable(
    parameters.map((parameter) => [parameter.label, parameter] as const),
    undefined,
    weights,
  );
  const optimiser = makeOptimiser(name, trainables, { ...settings, ...changes, weights });
  for (const [key, bytes] of state ?? []) device.writeBytes(optimiser.state().get(key)!, 0, bytes);
  optimiser.resume(from);
  for (const gradients of steps) {
    using _step = device.scope("step");
    const places = optimiser.gradientPlaces();
    for (const [i, parameter] of parameters.entries())
      device.writeBytes(places.get(parameter)!, 0, new Uint8Array(gradients[i]!.buffer as ArrayBuffer));
    optimiser.update(places, 0.01);
    for (const place of places.values()) place.dispose();
  }
  const values = await Promise.all(parameters.map((parameter) => parameter.read()));
  const kept = new Map<string, Uint8Array>();
  const dtypes = new Map<string, string>();
  for (const [key, tensor] of optimiser.state()) {
    kept.set(key, await bitsOf(tensor));
    dtypes.set(key, `${tensor.dtype} [${tensor.shape}]`);
  }
  optimiser[Symbol.dispose]();
  for (const parameter of parameters) parameter.dispose();
  expect(device.memory().bytesInUse, "bytes in use").toBe(before);
  return { values, kept, dtypes };
}

/** The bits on the device: reading packed numbers widens them. */
async function bitsOf(tensor: Tensor): Promise<Uint8Array> {
  using words = device.lasting([tensor.bytes / 4], "u32", "bits");
  device.copyBytes(tensor, 0, words, 0, tensor.bytes);
  return new Uint8Array((await words.read()).buffer as ArrayBuffer);
}

const starts = shapes.map((shape) => bf16(normal(sizeOf(shape))));
const gradients = [1, 2, 3, 4, 5].map(() => shapes.map((shape) => normal(sizeOf(shape))));

describe.each(optimisers.map(({ name }) => name))("%s", (optimiser) => {
  const given = { starts, shapes, steps: gradients };

  test("with f32 copies moves them as it moves f32 weights, bit for bit; the weights are the copies, rounded to nearest", async () => {
    const plain = await trained({ optimiser, weights: "f32" }, given);
    const { values, kept } = await trained({ optimiser, weights: "bf16-masters" }, given);
    for (const [i, own] of plain.values.entries()) {
      const copy = new Float32Array(kept.get(`${i}.weight.fp32_param`)!.buffer as ArrayBuffer);
      expect(copy, `copy of ${i}`).toEqual(own);
      expect(values[i], `weight ${i}`).toEqual(Float32Array.from(bf16(own)));
      expect(copy).not.toEqual(Float32Array.from(starts[i]!));
    }
  });

  test("rounds an f32 update at random to one of the two bf16 beside it, and other seeds round in other ways", async () => {
    const once = { ...given, steps: gradients.slice(0, 1) };
    const plain = await trained({ optimiser, weights: "f32" }, once);
    const seeds = [7, 8];
    const all = [];
    for (const seed of seeds) all.push(await trained({ optimiser, weights: "bf16-stochastic" }, once, { seed }));
    let [up, between] = [0, 0];
    for (const [i, own] of plain.values.entries())
      for (const { values } of all)
        for (const [j, value] of values[i]!.entries()) {
          const [smaller, larger] = [rounded(own[j]!, "smaller"), rounded(own[j]!, "larger")];
          expect([smaller, larger], `weight ${i}, element ${j}`).toContain(value);
          if (smaller === larger) continue;
          between++;
          if (value === larger) up++;
          up -= (own[j]! - smaller) / (larger - smaller);
        }
    // On average it goes up as often as it should: a sum of n such terms has a variance of at most n / 4.
    expect(Math.abs(up)).toBeLessThan(5 * Math.sqrt(between / 4));
    expect(all[0]!.values).not.toEqual(all[1]!.values);
  });

  test("rounds a parameter of several parts as one of a single part, but for the random numbers", async () => {
    const shape = [2 ** 16 + 37, 67];
    const some = normal(10_007);
    const long = (values: ArrayLike<number>) =>
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]!);
    const big = { shapes: [shape], starts: [long(bf16(some))], steps: [[long(some.map((value) => -value))]] };
    const {
      values: [own],
    } = await trained({ optimiser, weights: "f32" }, big);
    const {
      values: [packed],
    } = await trained({ optimiser, weights: "bf16-stochastic" }, big);
    let wrong = 0;
    for (const [j, value] of packed!.entries())
      if (value !== rounded(own![j]!, "smaller") && value !== rounded(own![j]!, "larger")) wrong++;
    expect(wrong).toBe(0);
  });
});

test.each(choices)(
  "$optimiser on weights in $weights goes on from a saved state with the same bits",
  async (choice) => {
    const whole = await trained(choice, { starts, shapes, steps: gradients });
    const half = await trained(choice, { starts, shapes, steps: gradients.slice(0, 2) });
    const zeros = starts.map((values) => values.map(() => 0));
    const rest = { starts: zeros, shapes, steps: gradients.slice(2), state: half.kept, from: 2 };
    expect(await trained(choice, rest)).toEqual(whole);
  },
);

test.each(choices)(
  "$optimiser on weights in $weights takes the bytes that the plan names",
  async ({ optimiser: name, weights }) => {
    const own = await openDevice();
    onTestFinished(() => own.destroy());
    const parameters = parametersOf(own, starts, shapes, weights);
    const trainables = selectTrainable(
      parameters.map((parameter) => [parameter.label, parameter] as const),
      undefined,
      weights,
    );
    const planned = (part: RegExp) =>
      trainingMemory(trainables, { optimiser: name, weights }).reduce(
        (total, need) => total + (part.test(need.part) ? need.bytes : 0),
        0,
      );
    const before = own.memory().bytesInUse;
    using optimiser = makeOptimiser(name, trainables, { ...settings, weights });
    const tables = [...own.memory().live].reduce(
      (total, [label, { bytes }]) => total + (label.startsWith("blocks of") ? bytes : 0),
      0,
    );
    expect(own.memory().bytesInUse - before - tables).toBe(planned(/^(?!gradients|scratch)/));
    const kept = own.memory().bytesInUse;
    const places = optimiser.gradientPlaces();
    expect(own.memory().bytesInUse - kept).toBe(planned(/^gradients$/));
    // An update takes its scratch and gives it back.
    using _ = own.scope("update");
    const norm = optimiser.gradientNorm(places);
    const held = own.memory().bytesInUse;
    own.pool.resetPeak();
    optimiser.update(places, 0.01, norm);
    expect(own.memory().peakBytes - held).toBe(planned(/^scratch/));
    expect(own.memory().bytesInUse).toBe(held);
    for (const place of places.values()) place.dispose();
    for (const parameter of parameters) parameter.dispose();
  },
);

test("the names of what is kept are those of torch, bitsandbytes, transformers and Megatron-LM", async () => {
  const names = async (optimiser: OptimiserName, weights: WeightsName) => {
    const { dtypes } = await trained({ optimiser, weights }, { starts: [starts[3]!], shapes: [shapes[3]!], steps: [] });
    return [...dtypes];
  };
  expect(await names("adamw", "f32")).toEqual([
    ["0.weight", "f32 [64,41]"],
    ["0.weight.exp_avg", "f32 [64,41]"],
    ["0.weight.exp_avg_sq", "f32 [64,41]"],
  ]);
  expect(await names("adamw-8bit", "bf16-masters")).toEqual([
    ["0.weight", "bf16 [64,41]"],
    ["0.weight.fp32_param", "f32 [64,41]"],
    ["0.weight.state1", "u32 [656]"],
    ["0.weight.absmax1", "f32 [11]"],
    ["0.weight.state2", "u32 [656]"],
    ["0.weight.absmax2", "f32 [11]"],
  ]);
  expect(await names("adafactor", "bf16-stochastic")).toEqual([
    ["0.weight", "bf16 [64,41]"],
    ["0.weight.exp_avg_sq_row", "f32 [64]"],
    ["0.weight.exp_avg_sq_col", "f32 [41]"],
  ]);
});

test("what cannot be trained so is refused, and the message says what to do", () => {
  using _ = device.scope("test");
  const wide = { name: "wide.weight", parameter: device.tensor([1, 2, 3, 4], [2, 2]) as F32 };
  const packed = { name: "packed.weight", parameter: device.tensor([1, 2, 3, 4], [2, 2], "bf16") };
  const make = (trainable: typeof wide | typeof packed, weights: WeightsName, optimiser: OptimiserName = "adamw") =>
    makeOptimiser(optimiser, [trainable], { ...settings, weights });
  expect(() => make(packed, "f32")).toThrow(
    "packed.weight is bf16, and weights that are kept as f32 are trained in f32. Train a copy in f32 (`copyIn` of a model), or keep them as bf16-masters or bf16-stochastic.",
  );
  expect(() => make(wide, "bf16-masters")).toThrow(
    "wide.weight is f32, and weights that are kept as bf16-masters are trained in bf16",
  );
  const column = { ...wide, column: 1 };
  for (const { name, label, columns } of optimisers)
    if (columns) make(column, "f32", name)[Symbol.dispose]();
    else
      expect(() => make(column, "f32", name)).toThrow(
        `${label}: it trains whole matrices, and only column 1 of wide.weight was asked for; AdamW can`,
      );
});

test.each(trainedWeights.map(({ name }) => name))("AdamW moves one column alone of weights in %s", async (weights) => {
  using _ = device.scope("test");
  const [parameter] = parametersOf(device, [bf16(normal(20))], [[4, 5]], weights) as [Tensor<Shape, "f32" | "bf16">];
  const start = await parameter.read();
  using optimiser = makeOptimiser("adamw", [{ name: "w", parameter, column: 2 }], { ...settings, weights });
  for (let step = 0; step < 3; step++)
    optimiser.update(new Map([[parameter, device.tensor(normal(20), [4, 5]) as F32]]), 0.1);
  const end = await parameter.read();
  parameter.dispose();
  expect([...end].map((value, i) => value !== start[i])).toEqual(Array.from(end, (_, i) => i % 5 === 2));
});

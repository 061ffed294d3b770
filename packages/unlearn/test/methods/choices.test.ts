import type { Decoder } from "@lethe/decoder";
import { type FloatDType, ops, type Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { describe, expect, test } from "vitest";
import {
  type Method,
  optimisers,
  passOver,
  recipeSchema,
  type TrainingState,
  taskVector,
  trainedWeights,
  type UnlearnOptions,
  unlearn,
  unlearningDTypes,
  unlearningMemory,
  type WeightsName,
} from "../../src/index.ts";

const device = await testDevice();
const texts = (base: number) =>
  Array.from({ length: 4 }, (_, i) => Array.from({ length: 9 + 5 * i }, (_, t) => base + ((i * 7 + t * 3) % 24)));
const [forget, retain] = [texts(2), texts(28)];
const recipe = { learningRate: 2e-3, epochs: 8, batchSize: 2, gradientAccumulation: 2, warmupEpochs: 1 };

type Recipe = UnlearnOptions["recipe"];
const optionsOf = (changes: Partial<Recipe>, more: Partial<UnlearnOptions> = {}): UnlearnOptions =>
  ({ method: "graddiff", recipe: { ...recipe, ...changes }, forget, retain, seed: 3, ...more }) as UnlearnOptions;

const choices = optimisers.flatMap(({ name: optimiser }) =>
  trainedWeights.map(({ name: weights }) => ({ optimiser, weights })),
);

/** A model of numbers that bf16 holds, in f32: rounding it to bf16 changes nothing. */
function vanillaModel(dtype: FloatDType = "f32"): Decoder {
  using made = smallLlama(device, 5, { num_hidden_layers: 2 });
  using rounded = made.copyIn(() => "bf16");
  return rounded.copyIn(() => dtype);
}

/** Unlearns a copy whose dtypes the options decide. */
async function unlearned<T>(options: UnlearnOptions, measure?: (model: Decoder) => Promise<T>, dtype?: FloatDType) {
  using vanilla = vanillaModel(dtype);
  using model = vanilla.copyIn(unlearningDTypes(vanilla, options));
  const losses: number[] = [];
  for await (const records of unlearn(model, options)) losses.push(...records.map(({ loss }) => loss));
  const weights = new Map<string, Float32Array>();
  for (const [name, weight] of model.weights) weights.set(name, (await weight.read()) as Float32Array);
  const dtypes = new Map(Array.from(model.weights, ([name, weight]) => [name, weight.dtype]));
  return { losses, weights, dtypes, measured: await measure?.(model) };
}

/** The largest distance between two loss curves, as a share of how far the second one goes. */
function distance(curve: readonly number[], other: readonly number[]): number {
  expect(curve).toHaveLength(other.length);
  const range = Math.max(...other) - Math.min(...other);
  return Math.max(...curve.map((loss, i) => Math.abs(loss - other[i]!))) / range;
}

/** AdamW in f32, or the same in Adafactor: what a choice is compared with. */
const counterpart = (optimiser: Recipe["optimiser"]) =>
  unlearned(optionsOf(optimiser === "adafactor" ? { optimiser } : {}));

test.each(choices)(
  "$optimiser on weights in $weights: the losses are those in f32, to a hundredth of their range",
  async (choice) => {
    const plain = await counterpart(choice.optimiser);
    const { losses, dtypes, weights } = await unlearned(optionsOf(choice));
    expect(distance(losses, plain.losses)).toBeLessThan(0.01);
    const inF32 = choice.weights === "f32";
    expect(new Set(dtypes.values())).toEqual(new Set([inF32 ? "f32" : "bf16"]));
    if (choice.optimiser !== "adamw-8bit" && inF32) expect(weights).toEqual(plain.weights);
    else expect(weights).not.toEqual(plain.weights);
  },
);

test("Adafactor is another algorithm: its losses fall as AdamW's do, and in all by between half and twice as much", async () => {
  const [adamw, adafactor] = [await counterpart("adamw"), await counterpart("adafactor")];
  const fall = ({ losses }: typeof adamw) => losses[0]! - losses.at(-1)!;
  expect(fall(adamw)).toBeGreaterThan(0.3);
  expect(fall(adafactor) / fall(adamw)).toBeGreaterThan(0.5);
  expect(fall(adafactor) / fall(adamw)).toBeLessThan(2);
});

test("a recipe that names neither has the fields and the bits that it had before there were any", async () => {
  const plain = await unlearned(optionsOf({}));
  expect(await unlearned(optionsOf({ weights: "f32", optimiser: "adamw" }))).toEqual(plain);
  expect(Object.keys(recipeSchema.parse(recipe))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/weights|optimiser/)]),
  );
});

describe.each<(typeof choices)[number] & { readonly trains?: string }>([
  ...choices,
  ...optimisers.map(({ name: optimiser }) => ({ optimiser, weights: "bf16-stochastic" as const, trains: "lora:2" })),
])("$optimiser on weights in $weights, trained: $trains", ({ optimiser, weights, trains }) => {
  const options = optionsOf({ optimiser, weights }, { trains });

  test("goes on from a saved state with the same bits", async () => {
    const whole = await unlearned(options);
    let saved: Omit<TrainingState, "tensors"> & { readonly bits: Map<string, Uint32Array> };
    let asked = 0;
    const saving = {
      due: () => ++asked === 5,
      async save({ tensors, ...state }: TrainingState) {
        const bits = new Map<string, Uint32Array>();
        for (const [name, tensor] of tensors) bits.set(name, await wordsOf(tensor));
        saved = { ...state, bits };
        throw new Error("killed");
      },
    };
    await expect(unlearned({ ...options, saving })).rejects.toThrow("killed");
    const { bits, ...state } = saved!;
    const from = {
      ...state,
      async restore(tensors: ReadonlyMap<string, Tensor>) {
        expect([...tensors.keys()]).toEqual([...bits.keys()]);
        for (const [name, tensor] of tensors)
          device.writeBytes(tensor, 0, new Uint8Array(bits.get(name)!.buffer as ArrayBuffer));
      },
    };
    const resumed = await unlearned({ ...options, from });
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.losses).toEqual(whole.losses.slice(-resumed.losses.length));
  });

  test("takes the memory of its plan, and little more", async () => {
    using vanilla = vanillaModel();
    using model = vanilla.copyIn(unlearningDTypes(vanilla, options));
    device.scoped("rotary table", () => passOver(model, forget).logits());
    const planned = unlearningMemory(vanilla, options);
    const total = planned.reduce((sum, { bytes }) => sum + bytes, 0);
    const before = device.memory().bytesInUse;
    device.pool.resetPeak();
    for await (const _ of unlearn(model, options));
    const peak = device.memory().peakBytes - before;
    expect(peak).toBeLessThanOrEqual(total);
    expect(peak).toBeGreaterThan(total / 1.6);
    expect(device.memory().bytesInUse).toBe(before);
  });
});

async function wordsOf(tensor: Tensor): Promise<Uint32Array> {
  using words = device.lasting([tensor.bytes / 4], "u32", "bits");
  device.copyBytes(tensor, 0, words, 0, tensor.bytes);
  return words.read();
}

describe("a part of a bf16 model", () => {
  const down = (name: string) => /down_proj/.test(name);

  test.each(["f32", "bf16-masters", "bf16-stochastic"] as const)(
    "W_V kept as %s: weights that are not trained stay bf16, bit for bit",
    async (weights) => {
      const start = await weightsOf("bf16");
      const {
        losses,
        dtypes,
        weights: ends,
      } = await unlearned(optionsOf({ weights }, { trains: "W_V" }), undefined, "bf16");
      for (const [name, dtype] of dtypes) {
        expect(dtype, name).toBe(down(name) && weights === "f32" ? "f32" : "bf16");
        if (down(name)) expect(ends.get(name), name).not.toEqual(start.get(name));
        else expect(ends.get(name), name).toEqual(start.get(name));
      }
      const { losses: plain } = await unlearned(optionsOf({}, { trains: "W_V" }));
      expect(distance(losses, plain)).toBeLessThan(0.01);
    },
  );

  test.each(["bf16-masters", "bf16-stochastic"] as const)(
    "low-rank updates under weights kept as %s: the weights hold the f32 sum, rounded; training does not see the rounding",
    async (weights) => {
      const lora = { trains: "lora:2" };
      const plain = await unlearned(optionsOf({}, lora));
      const packed = await unlearned(optionsOf({ weights }, lora), undefined, "bf16");
      expect(distance(packed.losses, plain.losses)).toBeLessThan(1e-3);
      let [changed, between] = [0, 0];
      for (const [name, values] of packed.weights) {
        const wide = plain.weights.get(name)!;
        expect(packed.dtypes.get(name), name).toBe("bf16");
        for (const [i, value] of values.entries()) {
          // Both runs sum in other orders, so that their updates differ by far less than bf16 shows.
          const off = Math.abs(value - wide[i]!) / unitOf(wide[i]!);
          expect(off, `${name}, element ${i}`).toBeLessThan(weights === "bf16-masters" ? 0.51 : 1.01);
          if (off > 0.51) between++;
          if (off > 0) changed++;
        }
      }
      expect(changed).toBeGreaterThan(1000);
      expect(between > 0).toBe(weights === "bf16-stochastic");
    },
  );

  test("an edit at the end is given f32 numbers, the start among them, and rounded as updates are", async () => {
    const start = await weightsOf("bf16");
    const { objective, ...editing } = taskVector;
    const back = { method: taskVector, options: { scale: 0 } };
    const scaled = {
      method: {
        ...editing,
        edit:
          () =>
          (_ops, { trained }) =>
            ops.affine(trained, { factor: 1.1 }),
      } as Method,
    };
    for (const weights of ["bf16-masters", "bf16-stochastic"] as const) {
      const { weights: same } = await unlearned(
        optionsOf({ weights }, back as Partial<UnlearnOptions>),
        undefined,
        "bf16",
      );
      expect(same).toEqual(start);
      const { weights: larger } = await unlearned(
        optionsOf({ weights }, scaled as Partial<UnlearnOptions>),
        undefined,
        "bf16",
      );
      let far = 0;
      for (const [name, values] of larger)
        for (const [i, value] of values.entries()) {
          const own = Math.fround(1.1) * start.get(name)![i]!;
          const off = Math.abs(value - own) / unitOf(own);
          expect(off, name).toBeLessThan(1);
          if (off > 0.5001) far++;
        }
      expect(far > 0).toBe(weights === "bf16-stochastic");
    }
  });
});

/** The distance from a number to the next one in bf16. */
const unitOf = (value: number) => 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);

async function weightsOf(dtype: FloatDType) {
  using model = vanillaModel(dtype);
  const read = Array.from(model.weights, async ([name, weight]) => [name, await weight.read()] as const);
  return new Map(await Promise.all(read));
}

test("what does not fit together is refused before anything is computed", async () => {
  using wide = vanillaModel();
  using packed = vanillaModel("bf16");
  const before = device.dispatches;
  const first = (model: Decoder, options: UnlearnOptions) => unlearn(model, options).next();
  await expect(first(packed, optionsOf({}))).rejects.toThrow(
    /is bf16, and weights that are kept as f32 are trained in f32. Train a copy in f32 \(`copyIn` of a model\), or keep them as bf16-masters or bf16-stochastic\./,
  );
  await expect(first(wide, optionsOf({ weights: "bf16-stochastic" }))).rejects.toThrow(
    /is f32, and weights that are kept as bf16-stochastic are trained in bf16/,
  );
  await expect(first(packed, optionsOf({}, { trains: "lora:2" }))).rejects.toThrow("keep them as bf16-masters");
  for (const { name, label, columns } of optimisers.filter(({ columns }) => !columns))
    await expect(first(wide, optionsOf({ optimiser: name }, { trains: "needle:1.7" })), `${columns}`).rejects.toThrow(
      `${label}: it trains whole matrices, and only column 7 of model.layers.1.mlp.down_proj.weight was asked for; AdamW can`,
    );
  await expect(first(wide, optionsOf({ weights: "bf16" as WeightsName }))).rejects.toThrow("unlearn: recipe");
  expect(device.dispatches).toBe(before);
});

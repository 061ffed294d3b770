import {
  Lora,
  type LoraSettings,
  type SelectedWeight,
  type Trainable,
  type TrainingChoice,
  trainingMemory,
  type WeightsName,
} from "@lethe/autograd";
import {
  bytesTogether,
  type Device,
  type F32,
  type FloatDType,
  ops as kernels,
  LetheError,
  type MemoryNeed,
  type Ops,
  seedOf,
  type Weight,
} from "@lethe/tensor";
import { writeWeight } from "./rounding.ts";

/** How merged weights are rounded where they are packed, and the seed of the training. */
interface Rounding {
  readonly kept: WeightsName;
  readonly seed: number;
}

type Rank = Pick<LoraSettings, "rank" | "alpha">;

/**
 * Trains low-rank updates of a model's weights in place. While steps are made, the weights are those before training and the updates stand
 * beside them; while the model is measured, they are in the weights, so that it is a model like any other.
 */
export class LowRankTraining implements Disposable {
  readonly #weights: readonly Trainable[];
  readonly #starts: readonly Weight[];
  readonly #lora: Lora;
  readonly #rounding: Rounding;

  /** @param starts copies of the weights before training, in their order. They stay the caller's. */
  constructor(weights: readonly Trainable[], starts: readonly Weight[], rank: Rank, rounding: Rounding) {
    const { seed } = rounding;
    this.#weights = weights;
    this.#starts = starts;
    this.#rounding = rounding;
    // A seed may be negative here, and may be large.
    const own = seedOf(seed, "LoRA");
    const entries = weights.map(({ name, parameter }) => [name, parameter] as const);
    this.#lora = new Lora(entries, { ...rank, seed: own, accepts: () => true });
  }

  /** The matrices A and B of every weight. */
  get trainables(): Lora["trainables"] {
    return this.#lora.trainables;
  }

  /** An `Ops` that computes with the updates, while they are beside the weights. */
  over(ops: Ops): Ops {
    return this.#lora.over(ops);
  }

  /**
   * Adds the updates to the weights, one weight after the other. Packed weights are rounded: in bf16 the merged weight lies up to 2⁻⁹ of its
   * size beside what was trained, where it is rounded to nearest, and up to 2⁻⁸ where it is rounded at random. Training goes on from what
   * was not rounded.
   */
  merge(): void {
    for (const weight of this.#weights) {
      const { name, parameter } = weight;
      using _ = parameter.device.scope(`update of ${name}`);
      writeWeight(weight, this.over(kernels).effectiveWeight(parameter) as F32, this.#rounding);
    }
  }

  /** Makes the weights those before training again, bit for bit. */
  split(): void {
    for (const [i, { parameter }] of this.#weights.entries())
      parameter.device.copyBytes(this.#starts[i]!, 0, parameter, 0, parameter.bytes);
  }

  [Symbol.dispose](): void {
    this.#lora[Symbol.dispose]();
  }
}

/** Sizes of the passes whose gradients are computed together, and how they are trained. */
interface LowRankPlan extends Pick<TrainingChoice, "optimiser"> {
  /** Tokens of each, padding included. */
  readonly passes: readonly number[];
  readonly checkpointing: boolean;
  readonly layers: number;
  /** Of the weights that have updates. */
  readonly dtype: FloatDType;
}

/**
 * The memory of low-rank updates and of their training, beside the model and the activations that it has without them.
 * @throws {LetheError} when one of the weights is not a matrix
 */
export function lowRankMemory(
  device: Device,
  weights: readonly SelectedWeight[],
  { rank }: Rank,
  { passes, checkpointing, layers, dtype, optimiser }: LowRankPlan,
): MemoryNeed[] {
  const flat = weights.find(({ parameter: { shape } }) => shape.length !== 2);
  if (flat)
    throw new LetheError(
      `unlearn: ${flat.name} has shape [${flat.parameter.shape}]; only a matrix has a low-rank update, so \`trains\` must leave it out`,
    );
  const widths = weights.map(({ parameter: { shape } }) => shape as readonly [out: number, width: number]);
  const pairs = weights.map(({ name }, i) => {
    const [out, width] = widths[i]!;
    return [
      { label: `${name}: A`, shape: [rank, width] },
      { label: `${name}: B`, shape: [out, rank] },
    ];
  });
  const matrices = pairs.flat().map(({ label, shape }) => ({ name: label, parameter: { device, shape } }));
  const sizes = bytesTogether(device, pairs, "f32");
  const [largest, all] = [Math.max(...passes), passes.reduce((sum, tokens) => sum + tokens, 0)];
  const [longest, most] = [Math.max(...widths.flat()), Math.max(...weights.map(({ parameter }) => parameter.size))];
  const need = (name: string, size: number) => {
    return { part: "activations", name, bytes: device.pool.sizeOf(4 * size) };
  };
  // What a projection's A makes of its input is kept for the gradient of its B: in every block, or in the one that is computed again.
  const inner = (tokens: number, count: number) => need("inner activations of updates", tokens * rank * count);
  return [
    ...matrices.map(({ name }, i) => ({ part: "low-rank updates", name, bytes: sizes[i]! })),
    ...trainingMemory(matrices, { optimiser }),
    checkpointing ? inner(largest, Math.ceil(weights.length / layers)) : inner(all, weights.length),
    // One projection's update, scaled, and its sum with the rest; or one weight with its update, when they are added.
    need("an update's output", Math.max(3 * largest * longest, (dtype === "f32" ? 3 : 4) * most)),
  ];
}

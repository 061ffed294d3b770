import { Lora, type LoraSettings, type SelectedWeight, type Trainable } from "@lethe/autograd";
import { type Device, type F32, ops as kernels, LetheError, type MemoryNeed, type Ops, randomOf } from "@lethe/tensor";

type Rank = Pick<LoraSettings, "rank" | "alpha">;

/**
 * Trains low-rank updates of a model's weights in place. While steps are made, the weights are those before training and the updates stand
 * beside them; while the model is measured, they are in the weights, so that it is a model like any other.
 */
export class LowRankTraining implements Disposable {
  readonly #weights: readonly Trainable[];
  readonly #starts: readonly F32[];
  readonly #lora: Lora;

  /** @param starts copies of the weights before training, in their order. They stay the caller's. */
  constructor(weights: readonly Trainable[], starts: readonly F32[], rank: Rank, seed: number) {
    this.#weights = weights;
    this.#starts = starts;
    // A seed may be negative here, and may be large.
    const own = Math.floor(randomOf(seed, "LoRA")() * 2 ** 32);
    const entries = weights.map(({ name, parameter }) => [name, parameter] as const);
    this.#lora = new Lora(entries, { ...rank, seed: own, accepts: () => true });
  }

  /** The matrices A and B of every weight. */
  get trainables(): readonly Trainable[] {
    return this.#lora.trainables;
  }

  /** An `Ops` that computes with the updates, while they are beside the weights. */
  over(ops: Ops): Ops {
    return this.#lora.over(ops);
  }

  /** Adds the updates to the weights. */
  merge(): void {
    for (const { name, parameter } of this.#weights) {
      using _ = parameter.device.scope(`update of ${name}`);
      parameter.device.copyBytes(this.over(kernels).effectiveWeight(parameter), 0, parameter, 0, parameter.bytes);
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

/** Sizes of the passes whose gradients are computed together. */
interface Passes {
  /** Tokens of each, padding included. */
  readonly passes: readonly number[];
  readonly checkpointing: boolean;
  readonly layers: number;
}

/**
 * The memory of low-rank updates and of their training, beside the model and the activations that it has without them.
 * @throws {LetheError} when one of the weights is not a matrix
 */
export function lowRankMemory(
  device: Device,
  weights: readonly SelectedWeight[],
  { rank }: Rank,
  { passes, checkpointing, layers }: Passes,
): MemoryNeed[] {
  const flat = weights.find(({ parameter: { shape } }) => shape.length !== 2);
  if (flat)
    throw new LetheError(
      `unlearn: ${flat.name} has shape [${flat.parameter.shape}]; only a matrix has a low-rank update, so \`trains\` must leave it out`,
    );
  const need = (part: string, name: string, size: number) => ({ part, name, bytes: device.pool.sizeOf(4 * size) });
  const widths = weights.map(({ parameter: { shape } }) => shape as readonly [out: number, width: number]);
  const matrices = weights.flatMap(({ name }, i): [name: string, size: number][] => {
    const [out, width] = widths[i]!;
    return [
      [`${name}: A`, rank * width],
      [`${name}: B`, rank * out],
    ];
  });
  const parts = ["low-rank updates", "gradients", "AdamW's first moments", "AdamW's second moments"];
  const [largest, all] = [Math.max(...passes), passes.reduce((sum, tokens) => sum + tokens, 0)];
  const [longest, most] = [Math.max(...widths.flat()), Math.max(...weights.map(({ parameter }) => parameter.size))];
  // What a projection's A makes of its input is kept for the gradient of its B: in every block, or in the one that is computed again.
  const inner = (tokens: number, count: number) =>
    need("activations", "inner activations of updates", tokens * rank * count);
  return [
    ...parts.flatMap((part) => matrices.map(([name, size]) => need(part, name, size))),
    checkpointing ? inner(largest, Math.ceil(weights.length / layers)) : inner(all, weights.length),
    // One projection's update, scaled, and its sum with the rest; or one weight with its update, when they are added.
    need("activations", "an update's output", 3 * Math.max(largest * longest, most)),
  ];
}

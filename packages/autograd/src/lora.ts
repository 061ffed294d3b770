import {
  castInto,
  type F32,
  fillInto,
  ops as kernels,
  LetheError,
  type Ops,
  randomNormal,
  type Tensor,
  together,
  type Weight,
} from "@lethe/tensor";
import { anyObject, atLeast, callable, checkerOf, iterable, options, positive } from "@lethe/tensor/checked";
import type { Trainable } from "./training/parameter.ts";

/** What decides a {@link Lora} beside the weights. */
export interface LoraSettings {
  /** Rank of the update, r. */
  readonly rank: number;
  /** The update is scaled by alpha / r. */
  readonly alpha: number;
  /** Seed of the matrices A. */
  readonly seed: number;
  /** Whether the weight of this name gets an update. */
  readonly accepts: (name: string) => boolean;
}

const check = checkerOf("Lora", {
  weights: iterable,
  settings: options({ rank: atLeast(1), alpha: positive, seed: atLeast(0), accepts: callable }),
});
const checkOver = checkerOf("Lora.over", { ops: anyObject });

/** A frozen weight `[out, in]` with its update. */
interface Adapter {
  readonly weight: Weight;
  /** `[r, in]` */
  readonly a: F32;
  /** `[out, r]` */
  readonly b: F32;
}

/**
 * Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): the model computes with W + (alpha / r) · B A, where W `[out, in]` is frozen,
 * A `[r, in]` starts from N(0, 1/in) and B `[out, r]` from zeros, so that nothing changes at first. A and B are f32 and belong to this
 * object; W may be packed.
 *
 * ```ts
 * using lora = new Lora(model.weights, { rank: 8, alpha: 16, seed: 0, accepts: (name) => name.endsWith("down_proj.weight") });
 * const loss = (tape: Tape) => lossOf(model.forward(batch, { ops: lora.over(tape.ops) })); // trains lora.trainables
 * const logits = model.forward(batch, { ops: lora.over(ops) });
 * ```
 *
 * At the hook point of such a weight (W_V), a capture gets the effective matrix, an edit is given it, and what an edit or a restoration
 * puts there replaces W and its update together.
 */
export class Lora implements Disposable {
  /** A and B of each weight, named as `peft` names them: `….down_proj.lora_A.weight`. */
  readonly trainables: readonly Trainable<"f32">[];
  readonly #scale: number;
  readonly #adapters = new Map<Tensor["storage"], Adapter>();
  readonly #names = new Map<string, Adapter>();

  /**
   * @param weights by Hugging Face's names. A matrix under two names (tied embeddings) gets one update.
   * @throws {LetheError} when no weight is accepted, one is not a matrix, or a setting is out of its range
   */
  constructor(weights: Iterable<readonly [string, Weight]>, settings: LoraSettings) {
    check([weights, settings]);
    const { rank, alpha, seed, accepts } = settings;
    this.#scale = alpha / rank;
    const accepted = [...weights].filter(([name]) => accepts(name));
    if (accepted.length === 0) throw new LetheError("Lora: none of the weights is accepted");
    const flat = accepted.find(([, { shape }]) => shape.length !== 2);
    if (flat)
      throw new LetheError(`Lora: ${flat[0]} has shape [${flat[1].shape}]; only a matrix has a low-rank update`);
    const { device } = accepted[0]![1];
    const named = (name: string, matrix: string) => `${name.replace(/\.weight$/, "")}.${matrix}.weight`;
    const distinct = new Map(accepted.toReversed().map(([name, weight]) => [weight.storage, name]));
    const firsts = accepted.filter(([name, weight]) => distinct.get(weight.storage) === name);
    const made = together(
      device,
      firsts.map(([name, { shape }]) => [
        { shape: [rank, shape[1]!], label: named(name, "lora_A") },
        { shape: [shape[0]!, rank], label: named(name, "lora_B") },
      ]),
      "f32",
    );
    for (const [i, [name, weight]] of accepted.entries()) {
      const known = this.#adapters.get(weight.storage);
      const at = firsts.findIndex(([first]) => first === name);
      const adapter = known ?? { weight, a: made[2 * at]!, b: made[2 * at + 1]! };
      this.#adapters.set(weight.storage, adapter);
      this.#names.set(name, adapter);
      if (known) continue;
      using _ = device.scope("LoRA");
      // Each weight has a stream of its own: the generator counts elements within one call.
      const random = { seed: seed * 65_536 + i, std: 1 / Math.sqrt(weight.shape[1]!) };
      castInto(adapter.a, randomNormal(device, adapter.a.shape, random));
      fillInto(adapter.b, 0);
    }
    this.trainables = made.map((parameter) => ({ name: parameter.label, parameter }));
  }

  /**
   * An `Ops` over another that adds the updates. Gradients reach A and B over `tape.ops`. (`new Tape(lora.over(ops))` sends the right
   * gradients to all that lies before a weight, and none to A and B.)
   */
  over(ops: Ops): Ops {
    checkOver([ops]);
    const updated = (weight: Weight, plain: F32, updateOf: (adapter: Adapter) => F32): F32 => {
      const adapter = this.#adapters.get(weight.storage);
      return adapter ? ops.add(plain, ops.affine(updateOf(adapter), { factor: this.#scale })) : plain;
    };
    const linear = (x: F32, weight: Weight) =>
      updated(weight, ops.linear(x, weight), ({ a, b }) => ops.linear(ops.linear(x, a), b));
    const embedding = (table: Weight, ids: Tensor<readonly number[], "u32">) =>
      updated(table, ops.embedding(table, ids), ({ a, b }) => ops.matmul(ops.embedding(b, ids), a));
    const matmul = (x: F32, weight: Weight, { transposeA = false, transposeB = false } = {}) =>
      updated(weight, ops.matmul(x, weight, { transposeA, transposeB }), ({ a, b }) => {
        const [first, second] = transposeB ? [a, b] : [b, a];
        return ops.matmul(ops.matmul(x, first, { transposeA, transposeB }), second, { transposeB });
      });
    const linearCrossEntropy: Ops["linearCrossEntropy"] = (x, weight, labels, options) =>
      this.#adapters.has(weight.storage)
        ? ops.crossEntropy(linear(x, weight), labels, options)
        : ops.linearCrossEntropy(x, weight, labels, options);
    const scoped =
      <Operands extends readonly [Tensor, ...unknown[]]>(call: (...operands: Operands) => F32) =>
      (...operands: Operands) =>
        operands[0].device.scoped("LoRA", () => call(...operands));
    return {
      ...ops,
      linear: scoped(linear) as Ops["linear"],
      embedding: scoped(embedding) as Ops["embedding"],
      matmul: scoped(matmul) as Ops["matmul"],
      linearCrossEntropy: scoped(linearCrossEntropy),
      effectiveWeight: (weight) => {
        const adapter = this.#adapters.get(weight.storage);
        return adapter ? this.#effective(ops, adapter) : ops.effectiveWeight(weight);
      },
    };
  }

  /**
   * W + (alpha / r) · B A of each weight that has an update, by name, in f32: to be saved (`model.save(directory, { weights:
   * lora.merge() })`) or to make another model from. The caller disposes of them.
   */
  merge(): Map<string, F32> {
    return new Map(Array.from(this.#names, ([name, adapter]) => [name, this.#effective(kernels, adapter).retain()]));
  }

  #effective(ops: Ops, { weight, a, b }: Adapter): F32 {
    return weight.device.scoped("LoRA", () => {
      const wide = weight.dtype === "f32" ? (weight as F32) : ops.cast(weight, { dtype: "f32" });
      return ops.add(wide, ops.affine(ops.matmul(b, a), { factor: this.#scale }));
    });
  }

  [Symbol.dispose](): void {
    for (const { parameter } of this.trainables) parameter.dispose();
  }
}

import {
  type AdamWOptions,
  adamwStep,
  clipCoefficient,
  type F32,
  fillInto,
  LetheError,
  slice,
  sum,
  sumOfSquaresInto,
  type Tensor,
  unary,
} from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checkerOf,
  instanceOf,
  type Kind,
  listOf,
  notNegative,
  optional,
  options,
  positive,
} from "@lethe/tensor/checked";
import type { Trainable } from "./trainable.ts";

/** The hyper-parameters of {@link AdamW}, as `torch.optim.AdamW` names them but for the case. */
export interface AdamWSettings extends Pick<AdamWOptions, "beta1" | "beta2" | "epsilon" | "weightDecay"> {
  /** Parameters that decay. Default: {@link matrices}. */
  readonly decays?: (trainable: Trainable) => boolean;
  /** Gradients are scaled down to this global norm when they exceed it. Default: no clipping. */
  readonly clipNorm?: number;
}

/** Weight decay for matrices and not for norms, as in the Hugging Face Trainer. */
export const matrices = ({ parameter }: Trainable): boolean => parameter.shape.length > 1;

interface State extends Trainable {
  readonly firstMoment: F32;
  readonly secondMoment: F32;
  readonly decay: number;
}

/** The norm of a step's gradients, on the device. The tensors belong to the innermost open scope. */
export interface GradientNorm {
  /** Parameters that have a gradient. */
  readonly names: readonly string[];
  /** Sum of squares of each one's gradient, in the order of `names`. */
  readonly squares: F32;
  /** The sum of `squares`, a scalar. */
  readonly total: F32;
  /** Global norm of the gradients before clipping, √total, a scalar. */
  readonly norm: F32;
}

const decayRate: Kind = {
  wanted: "a number from 0 to below 1",
  accepts: (value) => notNegative.accepts(value) && (value as number) < 1,
};
const settingsKind = options({
  beta1: decayRate,
  beta2: decayRate,
  epsilon: positive,
  weightDecay: notNegative,
  decays: optional(callable),
  clipNorm: optional(positive),
});
const check = checkerOf("AdamW", { trainables: listOf(anyObject), settings: settingsKind });
const checkResume = checkerOf("AdamW.resume", { steps: atLeast(0) });
const checkUpdate = checkerOf("AdamW.update", {
  gradients: instanceOf(Map),
  learningRate: notNegative,
  norm: optional(anyObject),
});

/**
 * AdamW with decoupled weight decay (Loshchilov & Hutter 2019), updating parameters in place. Both moments are f32 and belong to the
 * optimiser until it is disposed of.
 */
export class AdamW implements Disposable {
  readonly trainables: readonly Trainable[];
  readonly #settings: AdamWSettings;
  readonly #states: readonly State[];
  #steps = 0;

  /** @throws {LetheError} when `trainables` is empty, or a setting is out of its range */
  constructor(trainables: readonly Trainable[], settings: AdamWSettings) {
    check([trainables, settings]);
    if (trainables.length === 0) throw new LetheError("AdamW: there is nothing to train");
    this.trainables = trainables;
    this.#settings = settings;
    const decays = settings.decays ?? matrices;
    this.#states = trainables.map((trainable) => {
      const [firstMoment, secondMoment] = [momentOf(trainable, "exp_avg"), momentOf(trainable, "exp_avg_sq")];
      return { ...trainable, firstMoment, secondMoment, decay: decays(trainable) ? settings.weightDecay : 0 };
    });
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * What an interrupted training needs to go on, beside the number of updates: each trained parameter under its name, and its moments under
   * `NAME.exp_avg` and `NAME.exp_avg_sq`, as torch calls them. The tensors are live, not copies, and stay the optimiser's. Save their bytes
   * between two updates, and write them back before {@link AdamW.resume}; then every later update has the same bits.
   * @throws {LetheError} when two tensors would have one name
   */
  state(): Map<string, F32> {
    const tensors = new Map<string, F32>();
    for (const { name, parameter, firstMoment, secondMoment } of this.#states) {
      const own = { [name]: parameter, [`${name}.exp_avg`]: firstMoment, [`${name}.exp_avg_sq`]: secondMoment };
      for (const [key, tensor] of Object.entries(own)) {
        if (tensors.has(key)) throw new LetheError(`AdamW: two tensors of its state are called ${key}`);
        tensors.set(key, tensor);
      }
    }
    return tensors;
  }

  /** Goes on after this many updates, once the tensors of {@link AdamW.state} hold what they held then. */
  resume(steps: number): void {
    checkResume([steps]);
    this.#steps = steps;
  }

  /**
   * The global norm of the gradients of all trained parameters; of a single column where only that is trained.
   * @throws {LetheError} when no parameter has a gradient
   */
  gradientNorm(gradients: ReadonlyMap<Tensor, F32>): GradientNorm {
    const moving = this.#moving(gradients);
    const { device } = moving[0]!.parameter;
    using scope = device.scope("gradient norm");
    const squares = scope.keep(device.empty([moving.length], "f32", "squares of gradients"));
    for (const [i, { gradient, column }] of moving.entries()) {
      const trained = column === undefined ? gradient : slice(gradient, { axis: 1, start: column, end: column + 1 });
      sumOfSquaresInto(squares, i, trained);
    }
    const total = scope.keep(sum(squares));
    return { names: moving.map(({ name }) => name), squares, total, norm: scope.keep(unary(total, { kind: "sqrt" })) };
  }

  /**
   * One update. Nothing is read back: clipping is decided on the device. A parameter without a gradient stays as it is.
   * @param norm of these gradients, for a caller that has it already. Default: computed where `clipNorm` asks for it
   * @throws {LetheError} when no parameter has a gradient
   */
  update(gradients: ReadonlyMap<Tensor, F32>, learningRate: number, norm?: GradientNorm): void {
    checkUpdate([gradients, learningRate, norm]);
    const moving = this.#moving(gradients);
    this.#steps++;
    const { beta1, beta2, epsilon, clipNorm: maxNorm } = this.#settings;
    using _ = moving[0]!.parameter.device.scope("AdamW");
    const { total } = maxNorm === undefined ? {} : (norm ?? this.gradientNorm(gradients));
    const clip = total && maxNorm !== undefined ? { gradientScale: clipCoefficient(total, { maxNorm }) } : {};
    for (const { parameter, gradient, firstMoment, secondMoment, decay: weightDecay, column } of moving) {
      const only = column === undefined ? {} : { column: { index: column, width: parameter.shape[1]! } };
      const rates = { learningRate, beta1, beta2, epsilon, weightDecay, step: this.#steps };
      adamwStep(parameter, gradient, firstMoment, secondMoment, { ...rates, ...clip, ...only });
    }
  }

  /** The parameters that have a gradient, with it. */
  #moving(gradients: ReadonlyMap<Tensor, F32>): (State & { readonly gradient: F32 })[] {
    const moving = this.#states.flatMap((state) => {
      const gradient = gradients.get(state.parameter);
      return gradient ? [{ ...state, gradient }] : [];
    });
    if (moving.length === 0) throw new LetheError("AdamW: none of the trained parameters has a gradient");
    return moving;
  }

  [Symbol.dispose](): void {
    for (const { firstMoment, secondMoment } of this.#states) {
      firstMoment.dispose();
      secondMoment.dispose();
    }
  }
}

/** A moment before the first update: zeros, in no more bytes than they need. */
function momentOf({ name, parameter: { device, shape } }: Trainable, kind: string): F32 {
  const moment = device.lasting(shape, "f32", `${name}.${kind}`);
  fillInto(moment, 0);
  return moment;
}

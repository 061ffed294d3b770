import {
  adamwStep,
  clipCoefficient,
  type F32,
  LetheError,
  slice,
  sum,
  sumOfSquaresInto,
  type Tensor,
  unary,
  zeros,
} from "@lethe/tensor";
import type { Trainable } from "./trainable.ts";

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
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

/** What an update leaves to be read: tensors that belong to the innermost open scope. */
export interface UpdateReport {
  /** Global norm of the gradients before clipping, a scalar. */
  readonly norm: F32;
  /** Parameters that had a gradient. */
  readonly names: readonly string[];
  /** Sum of squares of each one's gradient, in the order of `names`. */
  readonly squares: F32;
}

/**
 * AdamW with decoupled weight decay (Loshchilov & Hutter 2019), updating parameters in place. Both moments are f32 and belong to the
 * optimiser until it is disposed of.
 */
export class AdamW implements Disposable {
  readonly trainables: readonly Trainable[];
  readonly #settings: AdamWSettings;
  readonly #states: readonly State[];
  #steps = 0;

  constructor(trainables: readonly Trainable[], settings: AdamWSettings) {
    if (trainables.length === 0) throw new LetheError("AdamW: there is nothing to train");
    this.trainables = trainables;
    this.#settings = settings;
    const decays = settings.decays ?? matrices;
    this.#states = trainables.map((trainable) => {
      const { device, shape } = trainable.parameter;
      using _ = device.scope("AdamW");
      const [firstMoment, secondMoment] = [zeros(device, shape).retain(), zeros(device, shape).retain()];
      return { ...trainable, firstMoment, secondMoment, decay: decays(trainable) ? settings.weightDecay : 0 };
    });
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * One update. Nothing is read back: clipping is decided on the device. A parameter without a gradient stays as it is.
   * @throws {LetheError} when no parameter has a gradient.
   */
  update(gradients: ReadonlyMap<Tensor, F32>, learningRate: number): UpdateReport {
    const moving = this.#states.flatMap((state) => {
      const gradient = gradients.get(state.parameter);
      return gradient ? [{ ...state, gradient }] : [];
    });
    if (moving.length === 0) throw new LetheError("AdamW: none of the trained parameters has a gradient");
    this.#steps++;
    const { device } = moving[0]!.parameter;
    const { beta1, beta2, epsilon, clipNorm } = this.#settings;
    using scope = device.scope("AdamW");
    const squares = scope.keep(device.empty([moving.length], "f32", "squares of gradients"));
    for (const [i, { gradient, column }] of moving.entries()) {
      const trained = column === undefined ? gradient : slice(gradient, { axis: 1, start: column, end: column + 1 });
      sumOfSquaresInto(squares, i, trained);
    }
    const total = sum(squares);
    const norm = scope.keep(unary(total, { kind: "sqrt" }));
    const clip = clipNorm === undefined ? {} : { gradientScale: clipCoefficient(total, { maxNorm: clipNorm }) };
    for (const { parameter, gradient, firstMoment, secondMoment, decay: weightDecay, column } of moving) {
      const only = column === undefined ? {} : { column: { index: column, width: parameter.shape[1]! } };
      const rates = { learningRate, beta1, beta2, epsilon, weightDecay, step: this.#steps };
      adamwStep(parameter, gradient, firstMoment, secondMoment, { ...rates, ...clip, ...only });
    }
    return { norm, names: moving.map(({ name }) => name), squares };
  }

  [Symbol.dispose](): void {
    for (const { firstMoment, secondMoment } of this.#states) {
      firstMoment.dispose();
      secondMoment.dispose();
    }
  }
}

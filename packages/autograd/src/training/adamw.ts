import {
  type AdamWOptions,
  adamwStep,
  type F32,
  fillInto,
  follows,
  GlobalNorm,
  LetheError,
  type Norms,
  stretch,
  type Tensor,
  together,
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

/** A parameter of which a step has a gradient. */
interface Moving extends State {
  readonly gradient: F32;
}

/**
 * The norm of a step's gradients before clipping, and the factor that clips it to the optimiser's `clipNorm`, on the device. The tensors
 * belong to the innermost open scope.
 */
export interface GradientNorm extends Norms {
  /** Parameters that have a gradient, in the order of `squares`. */
  readonly names: readonly string[];
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
 *
 * Parameters that lie one after another in a buffer, as a model's weights do, are updated in one dispatch where their gradients do too
 * ({@link AdamW.gradientPlaces}).
 */
export class AdamW implements Disposable {
  readonly trainables: readonly Trainable[];
  readonly #settings: AdamWSettings;
  /** In the order of the trainables. */
  readonly #states: readonly State[];
  /** In the order in which the parameters lie in memory. */
  readonly #inMemory: readonly State[];
  readonly #norms: GlobalNorm;
  #steps = 0;

  /** @throws {LetheError} when `trainables` is empty, or a setting is out of its range */
  constructor(trainables: readonly Trainable[], settings: AdamWSettings) {
    check([trainables, settings]);
    if (trainables.length === 0) throw new LetheError("AdamW: there is nothing to train");
    this.trainables = trainables;
    this.#settings = settings;
    const decays = settings.decays ?? matrices;
    const ordered = inMemory(trainables);
    const [first, second] = [zerosLike(ordered, ".exp_avg"), zerosLike(ordered, ".exp_avg_sq")];
    this.#inMemory = ordered.map((trainable, i) => {
      const decay = decays(trainable) ? settings.weightDecay : 0;
      return { ...trainable, firstMoment: first[i]!, secondMoment: second[i]!, decay };
    });
    const places = new Map(ordered.map((trainable, i) => [trainable, i]));
    this.#states = trainables.map((trainable) => this.#inMemory[places.get(trainable)!]!);
    this.#norms = new GlobalNorm(trainables[0]!.parameter.device);
    // Gradients will lie as the moments do.
    this.#norms.prepare(this.#states.map(({ firstMoment, column }) => ({ tensor: firstMoment, column })));
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
   * Zeros for the gradient of each parameter, as `backward` takes them (`places`): they lie in memory as the parameters do, so that few
   * dispatches can go through all of them. They belong to no scope: the caller disposes of each.
   */
  gradientPlaces(): Map<Tensor, F32> {
    const tensors = zerosLike(this.#inMemory, ".grad");
    return new Map(this.#inMemory.map(({ parameter }, i) => [parameter, tensors[i]!]));
  }

  /**
   * The global norm of the gradients of all trained parameters; of a single column where only that is trained.
   * @throws {LetheError} when no parameter has a gradient
   */
  gradientNorm(gradients: ReadonlyMap<Tensor, F32>): GradientNorm {
    const moving = movingOf(this.#states, gradients);
    const parts = moving.map(({ gradient, column }) => ({ tensor: gradient, column }));
    return { ...this.#norms.of(parts, this.#settings.clipNorm), names: moving.map(({ name }) => name) };
  }

  /**
   * One update. Nothing is read back: clipping is decided on the device. A parameter without a gradient stays as it is.
   * @param norm of these gradients, for a caller that has it already. Default: computed where `clipNorm` asks for it
   * @throws {LetheError} when no parameter has a gradient
   */
  update(gradients: ReadonlyMap<Tensor, F32>, learningRate: number, norm?: GradientNorm): void {
    checkUpdate([gradients, learningRate, norm]);
    const moving = movingOf(this.#inMemory, gradients);
    this.#steps++;
    const { beta1, beta2, epsilon, clipNorm } = this.#settings;
    using _ = moving[0]!.parameter.device.scope("AdamW");
    const gradientScale = clipNorm === undefined ? undefined : (norm ?? this.gradientNorm(gradients)).clip;
    for (const run of runsOf(moving)) {
      const [first, last] = [run[0]!, run.at(-1)!];
      const { column, decay: weightDecay, parameter } = first;
      using whole = stretch(parameter, last.parameter);
      using gradient = stretch(first.gradient, last.gradient);
      using firstMoment = stretch(first.firstMoment, last.firstMoment);
      using secondMoment = stretch(first.secondMoment, last.secondMoment);
      adamwStep(whole, gradient, firstMoment, secondMoment, {
        ...{ learningRate, beta1, beta2, epsilon, weightDecay, step: this.#steps },
        ...(gradientScale && { gradientScale }),
        ...(column !== undefined && { column: { index: column, width: parameter.shape[1]! } }),
      });
    }
  }

  [Symbol.dispose](): void {
    this.#norms[Symbol.dispose]();
    for (const { firstMoment, secondMoment } of this.#states) {
      firstMoment.dispose();
      secondMoment.dispose();
    }
  }
}

/** The parameters that have a gradient, with it. @throws {LetheError} when there is none */
function movingOf(states: readonly State[], gradients: ReadonlyMap<Tensor, F32>): Moving[] {
  const moving = states.flatMap((state) => {
    const gradient = gradients.get(state.parameter);
    return gradient ? [{ ...state, gradient }] : [];
  });
  if (moving.length === 0) throw new LetheError("AdamW: none of the trained parameters has a gradient");
  return moving;
}

/** Trainables in the order in which their parameters lie in memory: buffers as they come first, and tensors in a buffer by their places. */
function inMemory(trainables: readonly Trainable[]): Trainable[] {
  const buffers = new Map<unknown, number>();
  for (const { parameter } of trainables)
    if (!buffers.has(parameter.storage.buffer)) buffers.set(parameter.storage.buffer, buffers.size);
  const place = ({ parameter: { storage } }: Trainable) => [buffers.get(storage.buffer)!, storage.offset] as const;
  return trainables.toSorted((a, b) => {
    const [one, other] = [place(a), place(b)];
    return one[0] - other[0] || one[1] - other[1];
  });
}

/** Zeros of each parameter's shape, one after another. They belong to no scope. */
function zerosLike(trainables: readonly Trainable[], suffix: string): F32[] {
  const parts = trainables.map(({ name, parameter: { shape } }) => [{ shape, label: name + suffix }]);
  const tensors = together(trainables[0]!.parameter.device, parts, "f32");
  for (const run of cut(tensors, follows)) {
    using whole = stretch(run[0]!, run.at(-1)!);
    fillInto(whole, 0);
  }
  return tensors;
}

/** Cuts a list where a rule does not hold between two neighbours. */
function cut<T>(list: readonly T[], holds: (one: T, next: T) => boolean): T[][] {
  const runs: T[][] = [];
  for (const [i, item] of list.entries()) {
    if (i > 0 && holds(list[i - 1]!, item)) runs.at(-1)!.push(item);
    else runs.push([item]);
  }
  return runs;
}

/** Parameters that one dispatch can update. */
function runsOf(moving: readonly Moving[]): Moving[][] {
  const tensors = ["parameter", "gradient", "firstMoment", "secondMoment"] as const;
  return cut(moving, (one, next) => {
    const whole = one.column === undefined && next.column === undefined;
    return whole && one.decay === next.decay && tensors.every((each) => follows(one[each], next[each]));
  });
}

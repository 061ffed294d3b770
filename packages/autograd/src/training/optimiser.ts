import {
  type DType,
  type F32,
  follows,
  GlobalNorm,
  LetheError,
  type Norms,
  type Shape,
  stretch,
  type Tensor,
} from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checkerOf,
  instanceOf,
  listOf,
  notNegative,
  oneOf,
  optional,
  options,
  positive,
} from "@lethe/tensor/checked";
import { cut, inMemory, laidOut, zerosLaidOut } from "./in-memory.ts";
import { matrices, type OptimiserRule, type OptimiserSettings, type Run } from "./optimisers/rule.ts";
import type { Trainable } from "./parameter.ts";
import { requireWeights, weightsNamed, weightsNames } from "./weights/list.ts";
import type { Held, Weights } from "./weights/weights.ts";

/** A parameter with all that is kept of it. */
interface State extends Held {
  /** By the names of the rule's slots. */
  readonly tensors: Readonly<Record<string, Tensor>>;
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

const common = {
  weightDecay: notNegative,
  decays: optional(callable),
  clipNorm: optional(positive),
  weights: optional(oneOf(weightsNames)),
  seed: optional(atLeast(0)),
};

/**
 * Trains parameters by a rule, such as AdamW's, and keeps their weights in one of the ways of `trainedWeights`: both can be combined as one
 * likes. The rule's state is the optimiser's until it is disposed of.
 *
 * Parameters that lie one after another in a buffer, as a model's weights do, are updated in one dispatch where rule and weights allow it and
 * their gradients lie so too ({@link Optimiser.gradientPlaces}).
 */
export class Optimiser<S extends OptimiserSettings = OptimiserSettings> implements Disposable {
  readonly trainables: readonly Trainable[];
  readonly rule: OptimiserRule<S>;
  readonly #weights: Weights;
  readonly #settings: S;
  /** In the order of the trainables. */
  readonly #states: readonly State[];
  /** In the order in which the parameters lie in memory. */
  readonly #inMemory: readonly State[];
  readonly #norms: GlobalNorm;
  #steps = 0;

  /**
   * @throws {LetheError} when `trainables` is empty, a setting is out of its range, a parameter has another dtype than the weights are to be
   *   kept in, or the rule cannot train one column
   */
  constructor(rule: OptimiserRule<S>, trainables: readonly Trainable[], settings: S) {
    const { label } = rule;
    const kinds = { trainables: listOf(anyObject), settings: options({ ...rule.settings, ...common }) };
    checkerOf(label, kinds)([trainables, settings]);
    if (trainables.length === 0) throw new LetheError(`${label}: there is nothing to train`);
    const column = trainables.find((each) => each.column !== undefined);
    if (column && !rule.columns)
      throw new LetheError(
        `${label}: it trains whole matrices, and only column ${column.column} of ${column.name} was asked for; AdamW can`,
      );
    this.rule = rule;
    this.trainables = trainables;
    this.#settings = settings;
    this.#weights = weightsNamed(settings.weights);
    requireWeights(trainables, settings.weights);
    this.#inMemory = statesOf(trainables, this.#weights, rule, settings);
    const byName = new Map(this.#inMemory.map((state) => [state.trainable, state]));
    this.#states = trainables.map((trainable) => byName.get(trainable)!);
    this.#norms = new GlobalNorm(trainables[0]!.parameter.device);
    // The tables of a norm are made before the first step is recorded. They say where gradients will lie.
    const places = laidOut(trainables[0]!.parameter, this.#inMemory.map(gradientOf), "f32");
    const parts = this.#states.map((state) => {
      return { tensor: places[this.#inMemory.indexOf(state)]!, column: state.trainable.column };
    });
    this.#norms.prepare(parts);
    for (const place of places) place.dispose();
  }

  /** Updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * What an interrupted training needs to go on, beside the number of updates: each trained parameter under its name, its f32 copy where the
   * weights are kept with one, and the tensors of the rule, such as `NAME.exp_avg` and `NAME.exp_avg_sq` of AdamW, as torch calls them. The
   * tensors are live, not copies, and stay the optimiser's. Save their bytes between two updates, and write them back before
   * {@link Optimiser.resume}; then every later update has the same bits.
   * @throws {LetheError} when two tensors would have one name
   */
  state(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { trainable, copy, tensors: own } of this.#states) {
      const { name, parameter } = trainable;
      const kept: Record<string, Tensor> = { [name]: parameter, ...(copy && { [copy.label]: copy }) };
      for (const [slot, tensor] of Object.entries(own)) kept[`${name}.${slot}`] = tensor;
      for (const [key, tensor] of Object.entries(kept)) {
        if (tensors.has(key)) throw new LetheError(`${this.rule.label}: two tensors of its state are called ${key}`);
        tensors.set(key, tensor);
      }
    }
    return tensors;
  }

  /** Goes on after this many updates, once the tensors of {@link Optimiser.state} hold what they held then. */
  resume(steps: number): void {
    checkerOf(`${this.rule.label}.resume`, { steps: atLeast(0) })([steps]);
    this.#steps = steps;
  }

  /**
   * Zeros for the gradient of each parameter, as `backward` takes them (`places`): they lie in memory as the parameters do, so that few
   * dispatches can go through all of them. They belong to no scope: the caller disposes of each.
   */
  gradientPlaces(): Map<Tensor, F32> {
    const tensors = zerosLaidOut(this.trainables[0]!.parameter, this.#inMemory.map(gradientOf), "f32");
    return new Map(this.#inMemory.map(({ trainable: { parameter } }, i) => [parameter, tensors[i]!]));
  }

  /**
   * The global norm of the gradients of all trained parameters; of a single column where only that is trained.
   * @throws {LetheError} when no parameter has a gradient
   */
  gradientNorm(gradients: ReadonlyMap<Tensor, F32>): GradientNorm {
    const moving = this.#movingOf(this.#states, gradients);
    const parts = moving.map(({ gradient, trainable: { column } }) => ({ tensor: gradient, column }));
    const names = moving.map(({ trainable: { name } }) => name);
    return { ...this.#norms.of(parts, this.#settings.clipNorm), names };
  }

  /**
   * One update. Nothing is read back: clipping is decided on the device. A parameter without a gradient stays as it is.
   * @param norm of these gradients, for a caller that has it already. Default: computed where `clipNorm` asks for it
   * @throws {LetheError} when no parameter has a gradient
   */
  update(gradients: ReadonlyMap<Tensor, F32>, learningRate: number, norm?: GradientNorm): void {
    checkerOf(`${this.rule.label}.update`, updateKinds)([gradients, learningRate, norm]);
    const moving = this.#movingOf(this.#inMemory, gradients);
    this.#steps++;
    const { clipNorm, seed = 0 } = this.#settings;
    const { device } = moving[0]!.trainable.parameter;
    using _ = device.scope(this.rule.label);
    const gradientScale = clipNorm === undefined ? undefined : (norm ?? this.gradientNorm(gradients)).clip;
    const moment = { step: this.#steps, learningRate, ...(gradientScale && { gradientScale }) };
    for (const members of cut(moving, (one, next) => this.#asOne(one, next))) {
      using _run = device.scope("run");
      const [{ trainable, decay: weightDecay, tensors }, last] = [members[0]!, members.at(-1)!];
      const {
        column,
        parameter: { shape },
      } = trainable;
      const whole = <D extends DType>(one: Tensor<Shape, D>, other: Tensor<Shape, D>) => {
        const row = stretch(one, other);
        device.own(row);
        return row;
      };
      const run: Run = {
        shape,
        gradient: whole(members[0]!.gradient, last.gradient),
        state: Object.fromEntries(
          Object.keys(tensors).map((slot) => [slot, whole(tensors[slot]!, last.tensors[slot]!)]),
        ),
        weightDecay,
        ...(column !== undefined && { column: { index: column, width: shape[1]! } }),
      };
      const step = this.rule.begin(run, this.#settings, moment);
      this.#weights.update(members, step, { grain: this.rule.grain(shape, column), seed, step: this.#steps });
    }
  }

  /** Whether one update can go through a parameter and the one after it. */
  #asOne(one: Moving, next: Moving): boolean {
    const whole = one.trainable.column === undefined && next.trainable.column === undefined;
    return (
      this.rule.elementwise &&
      whole &&
      one.decay === next.decay &&
      this.#weights.follows(one, next) &&
      follows(one.gradient, next.gradient) &&
      this.rule.slots.every(({ name }) => follows(one.tensors[name]!, next.tensors[name]!))
    );
  }

  /** The parameters that have a gradient, with it. @throws {LetheError} when there is none */
  #movingOf(states: readonly State[], gradients: ReadonlyMap<Tensor, F32>): Moving[] {
    const moving = states.flatMap((state) => {
      const gradient = gradients.get(state.trainable.parameter);
      return gradient ? [{ ...state, gradient }] : [];
    });
    if (moving.length === 0) throw new LetheError(`${this.rule.label}: none of the trained parameters has a gradient`);
    return moving;
  }

  [Symbol.dispose](): void {
    this.#norms[Symbol.dispose]();
    for (const { copy, tensors } of this.#states) {
      copy?.dispose();
      for (const tensor of Object.values(tensors)) tensor.dispose();
    }
  }
}

const updateKinds = { gradients: instanceOf(Map), learningRate: notNegative, norm: optional(anyObject) };

const gradientOf = ({ trainable: { name, parameter } }: State) => ({ shape: parameter.shape, label: `${name}.grad` });

/** What is kept of each trainable, in the order in which their parameters lie in memory. */
function statesOf(
  trainables: readonly Trainable[],
  weights: Weights,
  { slots }: OptimiserRule<never>,
  { weightDecay, decays = matrices }: OptimiserSettings,
): State[] {
  const ordered = inMemory(trainables);
  const { parameter: like } = ordered[0]!;
  const tensors = ordered.map((): Record<string, Tensor> => ({}));
  for (const { name: slot, dtype, of } of slots) {
    const wanted = ordered.flatMap(({ name, parameter }, i) => {
      const shape = of(parameter.shape);
      return shape ? [{ i, shape, label: `${name}.${slot}` }] : [];
    });
    const made = zerosLaidOut(like, wanted, dtype);
    for (const [j, { i }] of wanted.entries()) tensors[i]![slot] = made[j]!;
  }
  const copies = weights.copies(ordered);
  return ordered.map((trainable, i) => ({
    trainable,
    copy: copies[i],
    tensors: tensors[i]!,
    decay: decays(trainable) ? weightDecay : 0,
  }));
}

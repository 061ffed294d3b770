import {
  ArgumentError,
  type F32,
  type FusedOps,
  fusedOf,
  LetheError,
  type Ops,
  type OpsFunction,
  offerFused,
  type Shape,
  Tensor,
  type Weight,
  wrapOps,
} from "@lethe/tensor";
import {
  anyFloat,
  anyObject,
  callable,
  checkerOf,
  f32,
  instanceOf,
  iterable,
  optional,
  options,
  showValue,
} from "@lethe/tensor/checked";
import { Block, type Value } from "./block.ts";
import { fusedRules } from "./rules/fused.ts";
import { rules } from "./rules/index.ts";
import type { Addend, FusedOpName, JointAddend, Rule, SendBack } from "./rules/rule.ts";

/** A call whose output depends on a watched tensor. */
interface RecordedCall {
  readonly output: Value;
  readonly shape: Shape;
  /** For each operand that gets a gradient, its value. */
  readonly inputs: readonly (Value | null)[];
  readonly sendBack: SendBack;
  readonly saved: readonly Tensor[];
}

/** A checkpointed block. Its calls are recorded when backward reaches it. */
interface RecordedBlock {
  readonly output: Value;
  readonly shape: Shape;
  readonly block: Block;
}

type Recorded = RecordedCall | RecordedBlock;

/** The sum of the gradients of a value that have come so far. */
interface PartialGradient {
  readonly tensor: F32;
  /** Nobody else holds the buffer, so the next gradient may be added to it in place. */
  readonly own: boolean;
}

type Call = (...operands: readonly unknown[]) => unknown;

const allRules: { readonly [Name in OpsFunction | FusedOpName]?: Rule<never> } = { ...rules, ...fusedRules };

const check = checkerOf("Tape", { base: anyObject });
const checkWatch = checkerOf("watch", { parameters: iterable });
const checkCheckpoint = checkerOf("checkpoint", { x: f32, run: callable });
const checkBackward = checkerOf("backward", {
  loss: instanceOf(Tensor),
  options: options({ seed: optional(f32), into: optional(instanceOf(Map)), places: optional(instanceOf(Map)) }),
});

export interface BackwardOptions {
  /** Gradient of the minimised quantity with respect to `loss`, in the shape of `loss`. Default: 1, for a scalar loss. */
  readonly seed?: F32;
  /** Gradients to add to, in place, for accumulation over micro-batches. A parameter that is missing from it is put there. */
  readonly into?: Map<Tensor, F32>;
  /**
   * Zeros to gather gradients in, of the watched tensors' sizes, for those that `into` has no gradient of: such as parts of one buffer, so
   * that an optimiser can read all of them at once. The gradients are then handles on them.
   */
  readonly places?: ReadonlyMap<Tensor, F32> | undefined;
}

/**
 * Records the operations that are called through {@link ops} on watched tensors, and computes gradients from the record. It records
 * only calls whose result depends on a watched tensor, and keeps only the tensors that their gradients read, until they have been read.
 * So the forward pass can release its own tensors as it does without a tape, and should have done so before {@link backward}.
 * Backward computes with the operations that the tape was given, so it runs in the arithmetic of forward.
 *
 * ```ts
 * using tape = new Tape(ops);
 * tape.watch(parameters);
 * const loss = device.scoped("forward", () => lossOf(model, tape.ops));
 * const gradients = tape.backward(loss);
 * ```
 */
export class Tape {
  /** The same interface as the operations underneath, with `records: true`. */
  readonly ops: Ops;
  readonly #base: Ops;
  readonly #watched = new Map<Value, Weight>();
  /** Values that depend on a watched tensor through recorded calls. */
  readonly #tracked = new Set<Value>();
  /** Values inside a checkpointed block that depend on a watched tensor. Their calls are not recorded. */
  #hidden = new WeakSet<Value>();
  readonly #records: Recorded[] = [];
  readonly #gradients = new Map<Value, PartialGradient>();
  /** Values to which a gradient has come. */
  readonly #reached = new Set<Value>();
  /** The block that runs unrecorded. */
  #paused: Block | null = null;
  /** The block that runs again, recorded. */
  #resumed: Block | null = null;

  /** @param base computes forward and backward */
  constructor(base: Ops) {
    check([base]);
    this.#base = base;
    const recording = wrapOps(
      base,
      (name, call) =>
        (...operands) =>
          this.#call(name, call, operands),
    );
    this.ops = { ...recording, records: true };
    const fused = fusedOf(base);
    if (fused) offerFused(this.ops, this.#recordingFused(fused));
  }

  /**
   * Asks for gradients of these tensors. Call it before the forward pass. Two views of the same numbers count as one. Gradients of packed
   * weights are f32 too.
   * @throws {LetheError} for a tensor of integers, or one that this tape has computed
   */
  watch(parameters: Iterable<Tensor>): void {
    checkWatch([parameters]);
    for (const parameter of parameters) {
      if (!(parameter instanceof Tensor)) throw new ArgumentError(`watch: ${showValue(parameter)} is not a tensor`);
      if (!anyFloat.accepts(parameter))
        throw new LetheError(
          `watch: ${parameter.label} is ${parameter.dtype}; only floating-point numbers have gradients`,
        );
      const value = parameter.storage;
      if (this.#watched.has(value)) continue;
      if (this.#tracked.has(value))
        throw new LetheError(`watch: ${parameter.label} was computed on this tape; watch tensors before they are used`);
      this.#watched.set(value, parameter as Weight);
      this.#tracked.add(value);
    }
  }

  /**
   * Runs a block without recording it and keeps only its input. Backward runs it again, recorded, and gives the same bits. `run` must
   * compute the same each time, and only its result may be used outside. Fits a model's `wrapBlock`:
   * `(_layer, x, run) => tape.checkpoint(x, run)`.
   */
  checkpoint(x: F32, run: (x: F32) => F32): F32 {
    checkCheckpoint([x, run]);
    if (this.#paused) return run(x);
    const block = new Block(x, run);
    this.#paused = block;
    try {
      const output = block.run();
      const value = output.storage;
      if (this.#hidden.delete(value)) {
        this.#tracked.add(value);
        this.#records.push({ output: value, shape: output.shape, block });
      } else block.dispose();
      return output;
    } catch (error) {
      block.dispose();
      throw error;
    } finally {
      this.#paused = null;
    }
  }

  /**
   * Gradients of `loss` with respect to the watched tensors it depends on. They belong to the innermost open scope. They are summed
   * in an order that the forward pass fixes. The tape is empty afterwards and can record again.
   * @throws {LetheError} when the loss is no scalar and has no seed, or depends on no watched tensor
   */
  backward(loss: Tensor, options: BackwardOptions = {}): Map<Tensor, F32> {
    checkBackward([loss, options]);
    const { seed, into = new Map(), places } = options;
    try {
      if (!this.#tracked.has(loss.storage))
        throw new LetheError(`backward: ${loss.label} does not depend on any watched tensor through this tape's ops`);
      using scope = loss.device.scope("backward");
      if (!seed && loss.size !== 1)
        throw new LetheError(
          `backward: the loss has shape [${loss.shape}]; give a seed gradient of that shape, or reduce it`,
        );
      for (const [value, parameter] of this.#watched) {
        const target = into.get(parameter) ?? places?.get(parameter);
        if (target) this.#gradients.set(value, { tensor: target.retain(), own: true });
      }
      this.#reached.add(loss.storage);
      this.#add(loss.storage, seed ?? loss.device.tensor([1], loss.shape, "f32", "seed"), false);
      for (let record = this.#records.pop(); record; record = this.#records.pop()) this.#unwind(record);
      for (const [value, parameter] of this.#watched) {
        const partial = this.#gradients.get(value);
        if (!partial || !this.#reached.has(value) || into.has(parameter)) continue;
        const gradient = partial.own ? partial.tensor : this.#base.affine(partial.tensor, { factor: 1 });
        into.set(parameter, scope.keep(gradient.reshape(parameter.shape)));
      }
      return into;
    } finally {
      this.#forget();
    }
  }

  /** Releases all records and stops watching. */
  [Symbol.dispose](): void {
    this.#watched.clear();
    this.#forget();
  }

  /** The fused operations, recorded as others are. Those that rules alone call stay as they are. */
  #recordingFused(fused: FusedOps): FusedOps {
    const recorded = (name: FusedOpName): unknown => {
      const call = fused[name] as Call;
      return (...operands: readonly unknown[]) => this.#call(name, call, operands);
    };
    return {
      ...fused,
      ...Object.fromEntries((Object.keys(fusedRules) as FusedOpName[]).map((name) => [name, recorded(name)])),
    };
  }

  /** Runs a function of the base and records it where its result depends on a watched tensor. */
  #call(name: OpsFunction | FusedOpName, base: Call, given: readonly unknown[]): unknown {
    const operands = this.#resumed ? this.#resumed.restore(given) : given;
    const values = operands.map((operand) => (operand instanceof Tensor ? operand.storage : null));
    const hidden = values.some((value) => value && this.#hidden.has(value));
    const inputs = values.map((value) => (value && this.#tracked.has(value) ? value : null));
    const depends = inputs.some((value) => value !== null);
    if (hidden && !this.#paused)
      throw new LetheError(
        `${name}: an operand was made inside a checkpointed block, whose inner values are not recorded; run without checkpointing to use them`,
      );
    const rule = allRules[name];
    if (depends && rule && !this.#paused) return this.#record(rule, base, operands, inputs);

    const again = this.#paused && (depends || hidden) && rule ? rule : undefined;
    const result = again ? this.#asRecorded(again, base, operands) : base(...operands);
    this.#paused?.note(operands, result);
    if (!depends && !hidden) return result;
    if (result instanceof Tensor) {
      if (values.includes(result.storage)) return result;
      if (rule) {
        this.#hidden.add(result.storage);
        return result;
      }
      // Indices have no gradient.
      if (result.dtype === "u32") return result;
    }
    throw new LetheError(`${name} has no gradient rule, and an operand depends on a watched tensor`);
  }

  /** What a call gives that is recorded when its block runs again: that run may compute it in another way, and must give the same bits. */
  #asRecorded(rule: Rule<never>, base: Call, operands: readonly unknown[]): unknown {
    const ran = rule.forward?.(this.#under, ...(operands as never));
    for (const extra of ran?.extras ?? []) extra.dispose();
    return ran?.output ?? base(...operands);
  }

  /** What rules compute with. */
  get #under() {
    return { ops: this.#base, fused: fusedOf(this.#base)! };
  }

  #record(rule: Rule<never>, base: Call, operands: readonly unknown[], inputs: RecordedCall["inputs"]): Tensor {
    const under = this.#under;
    const ran = rule.forward?.(under, ...(operands as never));
    const output = (ran?.output ?? base(...operands)) as F32;
    // A view has its operand's storage, and so its operand's gradient.
    if (operands.some((operand) => operand instanceof Tensor && operand.storage === output.storage)) return output;
    const saved: Tensor[] = [];
    const save = <T extends Tensor | null | undefined>(tensor: T): T => {
      if (!tensor) return tensor;
      const held = tensor.retain();
      saved.push(held);
      return held as unknown as T;
    };
    const wants = inputs.map((value) => value !== null);
    const extras = ran?.extras ?? [];
    const sendBack = rule.backward({ ...under, output, extras, wants, save }, ...(operands as never));
    for (const extra of extras) extra.dispose();
    this.#tracked.add(output.storage);
    this.#records.push({ output: output.storage, shape: output.shape, inputs, sendBack, saved });
    return output;
  }

  #unwind(record: Recorded): void {
    const partial = this.#gradients.get(record.output);
    this.#gradients.delete(record.output);
    this.#tracked.delete(record.output);
    try {
      if (!partial) return;
      using _ = partial.tensor.device.scope("gradient");
      const gradient = partial.tensor.reshape(record.shape);
      if ("block" in record) this.#add(this.#recordBlock(record.block).storage, gradient, false);
      else this.#sendBack(record, gradient);
    } finally {
      partial?.tensor.dispose();
      release(record);
    }
  }

  /** Runs a block again. Its calls become the last records, and backward continues with them. */
  #recordBlock(block: Block): F32 {
    this.#resumed = block;
    try {
      return block.runAgain();
    } finally {
      this.#resumed = null;
    }
  }

  #sendBack({ inputs, sendBack }: RecordedCall, gradient: F32): void {
    for (const value of inputs) if (value) this.#reached.add(value);
    const contributions = sendBack(gradient, {
      // The gradient of a watched tensor may be the caller's, which is added to in place.
      soFar: (operand) => {
        const value = inputs[operand];
        return value && !this.#watched.has(value) ? this.#gradients.get(value)?.tensor : undefined;
      },
      inPlace: (operand) => {
        const partial = this.#gradients.get(inputs[operand]!);
        return partial?.own ? partial.tensor : undefined;
      },
    });
    for (const [i, contribution] of contributions.entries()) {
      if (!contribution) continue;
      if ("operands" in contribution) {
        this.#addJoint(inputs, contribution);
        continue;
      }
      const value = inputs[i];
      if (!value) continue;
      if (contribution instanceof Tensor) {
        const { storage } = contribution;
        const shared = contributions.some((c, j) => j !== i && c instanceof Tensor && c.storage === storage);
        this.#add(value, contribution, storage !== gradient.storage && !shared);
      } else if ("sum" in contribution) {
        this.#gradients.get(value)?.tensor.dispose();
        this.#gradients.set(value, { tensor: contribution.sum.retain(), own: true });
      } else this.#addInPlace(value, contribution);
    }
  }

  /** Adds the gradients of several values that come together. */
  #addJoint(inputs: RecordedCall["inputs"], { operands, make, addTo }: JointAddend): void {
    const values = operands.map((operand) => inputs[operand]!);
    const partials = values.map((value) => this.#gradients.get(value));
    if (partials.every((partial) => partial?.own)) addTo(partials.map((partial) => partial!.tensor));
    else for (const [i, gradient] of make().entries()) this.#add(values[i]!, gradient, true);
  }

  /** Adds a contribution that needs no tensor of its own where there is a gradient to add it to. */
  #addInPlace(value: Value, contribution: Addend): void {
    const partial = this.#gradients.get(value);
    if (partial?.own) contribution.addTo(partial.tensor.reshape(contribution.shape));
    else this.#add(value, contribution.make(), true);
  }

  /** Adds a contribution to the gradient of a value. */
  #add(value: Value, contribution: F32, own: boolean): void {
    const partial = this.#gradients.get(value);
    if (!partial) {
      this.#gradients.set(value, { tensor: contribution.retain(), own });
      return;
    }
    const more = contribution.reshape(partial.tensor.shape);
    if (partial.own) {
      this.#base.addInto(partial.tensor, more);
      return;
    }
    this.#gradients.set(value, { tensor: this.#base.add(partial.tensor, more).retain(), own: true });
    partial.tensor.dispose();
  }

  #forget(): void {
    for (const record of this.#records) release(record);
    for (const { tensor } of this.#gradients.values()) tensor.dispose();
    this.#records.length = 0;
    this.#gradients.clear();
    this.#reached.clear();
    this.#hidden = new WeakSet();
    this.#tracked.clear();
    for (const value of this.#watched.keys()) this.#tracked.add(value);
  }
}

function release(record: Recorded): void {
  if ("block" in record) record.block.dispose();
  else for (const tensor of record.saved) tensor.dispose();
}

import { add, addInto, affine, type F32, LetheError, type OpName, type Ops, type Shape, Tensor } from "@lethe/tensor";
import { Block, type Value } from "./block.ts";
import { rules } from "./rules/index.ts";
import type { Rule, SendBack } from "./rules/rule.ts";

/** A call that leads to a watched tensor. */
interface RecordedCall {
  readonly output: Value;
  readonly shape: Shape;
  /** For each operand that a gradient goes to, its value. */
  readonly inputs: readonly (Value | null)[];
  readonly sendBack: SendBack;
  readonly saved: readonly Tensor[];
}

/** A checkpointed block, whose calls are recorded when backward reaches it. */
interface RecordedBlock {
  readonly output: Value;
  readonly shape: Shape;
  readonly block: Block;
}

type Recorded = RecordedCall | RecordedBlock;

/** A gradient on its way. `own`: no one else holds its buffer, so it may be added to in place. */
interface Arriving {
  readonly tensor: F32;
  readonly own: boolean;
}

export interface BackwardOptions {
  /** Gradient of whatever is being minimised with respect to `loss`, in its shape. Default: 1, for a scalar loss. */
  readonly seed?: F32;
  /** Gradients to add to, in place, for accumulation over micro-batches; a parameter that is not in it yet is put there. */
  readonly into?: Map<Tensor, F32>;
}

/**
 * Records what the operations called through {@link ops} do to watched tensors, and sends gradients back through it. Only calls that
 * lead to a watched tensor are recorded, and of those only what their gradients read is kept, until it has been read. So the code
 * that runs forward releases its own tensors as it would without a tape, and should have done so before {@link backward}.
 *
 * ```ts
 * using tape = new Tape(ops);
 * tape.watch(parameters);
 * const loss = device.scoped("forward", () => lossOf(model, tape.ops));
 * const gradients = tape.backward(loss);
 * ```
 */
export class Tape {
  /** The same interface as the operations underneath; code that uses it does not know that it is taped. */
  readonly ops: Ops;
  readonly #base: Ops;
  readonly #watched = new Map<Value, F32>();
  /** Values that lead to a watched tensor through what is recorded. */
  readonly #tracked = new Set<Value>();
  /** Values inside a checkpointed block that would be tracked, had they been recorded. */
  #hidden = new WeakSet<Value>();
  readonly #records: Recorded[] = [];
  readonly #gradients = new Map<Value, Arriving>();
  /** The block that runs unrecorded. */
  #paused: Block | null = null;
  /** The block that runs again, recorded. */
  #resumed: Block | null = null;

  constructor(base: Ops) {
    this.#base = base;
    const names = new Set([...Object.keys(base), ...Object.keys(rules)]) as Set<OpName>;
    this.ops = Object.fromEntries(
      [...names].map((name) => [name, (...operands: unknown[]) => this.#call(name, operands)]),
    ) as unknown as Ops;
  }

  /**
   * Asks for gradients of these tensors. Call it before the forward pass. Two views of the same numbers count as one.
   * @throws {LetheError} for a tensor that is not f32, or that this tape has itself computed.
   */
  watch(parameters: Iterable<Tensor>): void {
    for (const parameter of parameters) {
      if (parameter.dtype !== "f32")
        throw new LetheError(
          `watch: ${parameter.label} is ${parameter.dtype}; only f32 can be trained. Load or cast the weights to f32, or leave it frozen.`,
        );
      const value = parameter.storage;
      if (this.#watched.has(value)) continue;
      if (this.#tracked.has(value))
        throw new LetheError(`watch: ${parameter.label} was computed on this tape; watch tensors before they are used`);
      this.#watched.set(value, parameter as F32);
      this.#tracked.add(value);
    }
  }

  /**
   * Runs a block without recording it and keeps only its input; backward runs it again, recorded, and gives the same bits. `run` must
   * compute the same each time, and nothing made inside it but its result may be used outside. Fits a model's `wrapBlock`:
   * `(_layer, x, run) => tape.checkpoint(x, run)`.
   */
  checkpoint(x: F32, run: (x: F32) => F32): F32 {
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
   * Gradients of `loss` with respect to the watched tensors it depends on. They belong to the innermost open scope. Contributions
   * are added in an order fixed by the forward pass. The tape is empty afterwards and can record again.
   * @throws {LetheError} when the loss is no scalar and has no seed, or depends on nothing that is watched.
   */
  backward(loss: Tensor, { seed, into = new Map() }: BackwardOptions = {}): Map<Tensor, F32> {
    try {
      if (!this.#tracked.has(loss.storage))
        throw new LetheError(`backward: ${loss.label} does not depend on any watched tensor through this tape's ops`);
      using scope = loss.device.scope("backward");
      if (!seed && loss.size !== 1)
        throw new LetheError(
          `backward: the loss has shape [${loss.shape}]; give a seed gradient of that shape, or reduce it`,
        );
      for (const [value, parameter] of this.#watched) {
        const target = into.get(parameter);
        if (target) this.#gradients.set(value, { tensor: target.retain(), own: true });
      }
      this.#send(loss.storage, seed ?? loss.device.tensor([1], loss.shape, "f32", "seed"), false);
      for (let record = this.#records.pop(); record; record = this.#records.pop()) this.#unwind(record);
      for (const [value, parameter] of this.#watched) {
        const partial = this.#gradients.get(value);
        if (!partial || into.has(parameter)) continue;
        const gradient = partial.own ? partial.tensor : affine(partial.tensor, { factor: 1 });
        into.set(parameter, scope.keep(gradient.reshape(parameter.shape)));
      }
      return into;
    } finally {
      this.#forget();
    }
  }

  /** Lets go of everything recorded and watched. */
  [Symbol.dispose](): void {
    this.#watched.clear();
    this.#forget();
  }

  #call(name: OpName, given: readonly unknown[]): Tensor {
    const base = this.#base[name] as (...operands: readonly unknown[]) => Tensor;
    const operands = this.#resumed ? this.#resumed.restore(given) : given;
    const values = operands.map((operand) => (operand instanceof Tensor ? operand.storage : null));
    const hidden = values.some((value) => value && this.#hidden.has(value));
    const inputs = values.map((value) => (value && this.#tracked.has(value) ? value : null));
    const leads = inputs.some((value) => value !== null);
    if (this.#paused) {
      const output = base(...operands);
      this.#paused.note(operands, output);
      if ((leads || hidden) && !this.#tracked.has(output.storage)) this.#hidden.add(output.storage);
      return output;
    }
    if (hidden)
      throw new LetheError(
        `${name}: an operand was made inside a checkpointed block, whose inner values are not recorded; run without checkpointing to use them`,
      );
    if (!leads) return base(...operands);

    const rule = rules[name] as Rule<never> | undefined;
    if (!rule)
      throw new LetheError(`${name} has no gradient rule (autograd/rules), and an operand leads to a watched tensor`);
    const ran = rule.forward?.(this.#base, ...(operands as never));
    const output = (ran?.output ?? base(...operands)) as F32;
    if (values.includes(output.storage)) return output; // A view: whatever reaches it has reached its operand.
    const saved: Tensor[] = [];
    const save = <T extends Tensor | null | undefined>(tensor: T): T => {
      if (!tensor) return tensor;
      const held = tensor.retain();
      saved.push(held);
      return held as unknown as T;
    };
    const wants = inputs.map((value) => value !== null);
    const sendBack = rule.backward({ ops: this.#base, output, extra: ran?.extra, wants, save }, ...(operands as never));
    if (ran) ran.extra.dispose();
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
      if ("block" in record) this.#send(this.#recordBlock(record.block).storage, gradient, false);
      else this.#sendBack(record, gradient);
    } finally {
      partial?.tensor.dispose();
      release(record);
    }
  }

  /** Its calls come to lie on top of the records, where backward goes on. */
  #recordBlock(block: Block): F32 {
    this.#resumed = block;
    try {
      return block.runAgain();
    } finally {
      this.#resumed = null;
    }
  }

  #sendBack({ inputs, sendBack }: RecordedCall, gradient: F32): void {
    const contributions = sendBack(gradient);
    inputs.forEach((value, i) => {
      const contribution = contributions[i];
      if (!value || !contribution) return;
      const { storage } = contribution;
      const own = storage !== gradient.storage && contributions.every((c, j) => j === i || c?.storage !== storage);
      this.#send(value, contribution, own);
    });
  }

  /** Adds a contribution to the gradient of a value. */
  #send(value: Value, contribution: F32, own: boolean): void {
    const so = this.#gradients.get(value);
    if (!so) {
      this.#gradients.set(value, { tensor: contribution.retain(), own });
      return;
    }
    const more = contribution.reshape(so.tensor.shape);
    if (so.own) {
      addInto(so.tensor, more);
      return;
    }
    this.#gradients.set(value, { tensor: add(so.tensor, more).retain(), own: true });
    so.tensor.dispose();
  }

  #forget(): void {
    for (const record of this.#records) release(record);
    for (const { tensor } of this.#gradients.values()) tensor.dispose();
    this.#records.length = 0;
    this.#gradients.clear();
    this.#hidden = new WeakSet();
    this.#tracked.clear();
    for (const value of this.#watched.keys()) this.#tracked.add(value);
  }
}

function release(record: Recorded): void {
  if ("block" in record) record.block.dispose();
  else for (const tensor of record.saved) tensor.dispose();
}

import { type F32, Tensor } from "@lethe/tensor";

/** Identifies a value: all views of the same numbers have one. */
export type Value = Tensor["storage"];

/**
 * A checkpointed block of a forward pass. It keeps alive what the block reads from outside (its input, weights, position tables), so
 * that the block can be run again after the scopes of the forward pass have ended.
 */
export class Block {
  readonly #run: (x: F32) => F32;
  readonly #input: F32;
  readonly #inside = new Set<Value>();
  readonly #outside = new Map<Tensor, Tensor>();

  constructor(x: F32, run: (x: F32) => F32) {
    this.#run = run;
    this.#input = x.retain();
  }

  /** The first run; `device.scoped` releases all that is made in it but the result. */
  run(): F32 {
    return this.#input.device.scoped("checkpoint", () => this.#run(this.#input));
  }

  /** The run that is recorded. */
  runAgain(): F32 {
    return this.#run(this.#input);
  }

  /** Called for each operation of the first run. */
  note(operands: readonly unknown[], output: Tensor): void {
    mapTensors(operands, (tensor) => {
      if (!this.#inside.has(tensor.storage) && !this.#outside.has(tensor)) this.#outside.set(tensor, tensor.retain());
      return tensor;
    });
    this.#inside.add(output.storage);
  }

  /** Operands with the tensors that may have been released since the first run replaced by what was kept of them. */
  restore(operands: readonly unknown[]): readonly unknown[] {
    return mapTensors(operands, (tensor) => this.#outside.get(tensor) ?? tensor);
  }

  dispose(): void {
    this.#input.dispose();
    for (const held of this.#outside.values()) held.dispose();
  }
}

/** Applies `change` to every tensor among operands and in their options. */
function mapTensors(operands: readonly unknown[], change: (tensor: Tensor) => Tensor): readonly unknown[] {
  const changed = (value: unknown) => (value instanceof Tensor ? change(value) : value);
  return operands.map((operand) => {
    if (operand === null || typeof operand !== "object" || operand instanceof Tensor) return changed(operand);
    return Object.fromEntries(Object.entries(operand).map(([key, value]) => [key, changed(value)]));
  });
}

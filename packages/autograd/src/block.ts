import { type F32, Tensor } from "@lethe/tensor";

/** Identifies a value. All views of the same numbers share it. */
export type Value = Tensor["storage"];

/**
 * A checkpointed block of a forward pass. It keeps alive the tensors that the block reads from outside (its input, weights, position
 * tables), so that the block can run again after the scopes of the forward pass have ended.
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

  /** The first run. Only its result is kept. */
  run(): F32 {
    return this.#input.device.scoped("checkpoint", () => this.#run(this.#input));
  }

  /** The second run, which is recorded. */
  runAgain(): F32 {
    return this.#run(this.#input);
  }

  /** Called for each operation of the first run, with its operands and its result: a tensor, several by name, or nothing. */
  note(operands: readonly unknown[], result: unknown): void {
    mapTensors(operands, (tensor) => {
      if (!this.#inside.has(tensor.storage) && !this.#outside.has(tensor)) this.#outside.set(tensor, tensor.retain());
      return tensor;
    });
    mapTensors([result], (tensor) => {
      this.#inside.add(tensor.storage);
      return tensor;
    });
  }

  /** The operands of the second run. A tensor from outside, which may have been released since, is replaced by the handle kept of it. */
  restore(operands: readonly unknown[]): readonly unknown[] {
    return mapTensors(operands, (tensor) => this.#outside.get(tensor) ?? tensor);
  }

  dispose(): void {
    this.#input.dispose();
    for (const held of this.#outside.values()) held.dispose();
  }
}

/** Applies `change` to every tensor among values and in their fields. */
function mapTensors(values: readonly unknown[], change: (tensor: Tensor) => Tensor): readonly unknown[] {
  const changed = (value: unknown) => (value instanceof Tensor ? change(value) : value);
  return values.map((value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Tensor)
      return changed(value);
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, changed(field)]));
  });
}

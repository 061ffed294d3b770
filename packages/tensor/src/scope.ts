import { LetheError } from "./errors.ts";

/** A tensor, as its scope knows it. */
interface Owned {
  dispose(): void;
}

/**
 * Owns the tensors made while it is the innermost open scope, and releases them when it is disposed.
 *
 * ```ts
 * using scope = device.scope("forward");
 * const logits = scope.keep(forward(tokens));
 * ```
 *
 * Scopes close in the reverse of the order in which they opened. A scope that is held across an `await` also owns the tensors that
 * other tasks make meanwhile, so where several tasks may use one device, hold scopes inside synchronous work only.
 */
export class Scope {
  readonly label: string;
  readonly #stack: Scope[];
  readonly #tensors = new Set<Owned>();

  constructor(label: string, stack: Scope[]) {
    this.label = label;
    this.#stack = stack;
    stack.push(this);
  }

  /** Called for every new tensor. */
  own(tensor: Owned): void {
    this.#tensors.add(tensor);
  }

  /** Hands a tensor to the enclosing scope or, when this is the outermost, to the caller, who then disposes of it. */
  keep<T extends Owned>(tensor: T): T {
    if (this.#tensors.delete(tensor)) this.#stack[this.#stack.indexOf(this) - 1]?.own(tensor);
    return tensor;
  }

  /** @throws {LetheError} when a scope opened later is still open: two asynchronous tasks would release each other's tensors. */
  [Symbol.dispose](): void {
    const index = this.#stack.indexOf(this);
    if (index < 0) return;
    const inner = this.#stack[index + 1];
    if (inner)
      throw new LetheError(
        `scope "${this.label}" closed while "${inner.label}", opened inside it, is open; hold a scope inside synchronous work only, never across an await`,
      );
    this.#stack.pop();
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
  }
}

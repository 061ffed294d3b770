import { Undefined, type Value } from "./values.ts";

/** The variables that a place in the template sees. */
export class Scope {
  readonly #own = new Map<string, Value>();
  readonly #parent: Scope | undefined;

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  set(name: string, value: Value): void {
    this.#own.set(name, value);
  }

  get(name: string): Value {
    const own = this.#own.get(name);
    if (own !== undefined) return own;
    return this.#parent ? this.#parent.get(name) : new Undefined(`'${name}' is undefined`);
  }
}

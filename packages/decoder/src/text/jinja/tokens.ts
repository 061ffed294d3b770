import { fail } from "./errors.ts";
import { type Token, tokenize } from "./lexer.ts";

/** The tokens of a template, read one by one. */
export class Tokens {
  readonly #all: readonly Token[];
  #at = 0;

  constructor(template: string) {
    this.#all = tokenize(template);
  }

  get current(): Token {
    return this.#all[this.#at]!;
  }

  /** Whether the next token, or the one after it, is this name or operator. */
  is(type: Token["type"], value?: string, ahead = 0): boolean {
    const token = this.#all[Math.min(this.#at + ahead, this.#all.length - 1)]!;
    return token.type === type && (value === undefined || token.value === value);
  }

  isOperator(...values: readonly string[]): boolean {
    return values.some((value) => this.is("operator", value));
  }

  next(): Token {
    const token = this.current;
    if (token.type !== "end") this.#at++;
    return token;
  }

  skip(type: Token["type"], value?: string): boolean {
    const found = this.is(type, value);
    if (found) this.next();
    return found;
  }

  expect(type: Token["type"], value?: string): Token {
    return this.is(type, value) ? this.next() : this.unexpected(`expected ${value ?? type}`);
  }

  unexpected(expected: string): never {
    const { line, value, type } = this.current;
    return fail(`line ${line}: ${expected}, found ${type === "end" ? "the end" : JSON.stringify(value)}`);
  }
}

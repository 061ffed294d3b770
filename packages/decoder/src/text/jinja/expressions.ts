import { attribute, call, slice, subscript } from "./access.ts";
import { fail, unsupported } from "./errors.ts";
import { filterNamed, testNamed } from "./filters.ts";
import { binary, comparisons, concatenate, signed } from "./operators.ts";
import type { Scope } from "./scope.ts";
import type { Tokens } from "./tokens.ts";
import { type Args, Dict, iterate, Tuple, truth, Undefined, type Value } from "./values.ts";
import { counted, spend } from "./work.ts";

/** A part of a template that gives a value. */
export interface Expression {
  (scope: Scope): Value;
  /** For a call: the same with a further argument, `caller`. */
  readonly withCaller?: (scope: Scope, caller: Value) => Value;
}

type ArgsOf = (scope: Scope) => Args;

/** How far expressions may nest; deeper ones would end the stack of JavaScript. */
const deepest = 200;
const constants: Readonly<Record<string, Value>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

/** Reads expressions by the grammar of Jinja's parser: a method for each level, from the loosest. */
export class Expressions {
  readonly tokens: Tokens;
  /** Collects the names that are read, for macros. */
  names = new Set<string>();
  #depth = 0;

  constructor(tokens: Tokens) {
    this.tokens = tokens;
  }

  /** One expression, or several with commas: a tuple. */
  tuple(conditional = true, ends: readonly string[] = []): Expression {
    const { items, isTuple } = this.#list(() => this.expression(conditional), ends);
    if (isTuple) return (scope) => new Tuple(items.map((item) => item(scope)));
    return items[0] ?? this.tokens.unexpected("expected an expression");
  }

  #list(read: () => Expression, ends: readonly string[]): { items: Expression[]; isTuple: boolean } {
    const items: Expression[] = [];
    let isTuple = false;
    while (
      !this.tokens.is("close") &&
      !this.tokens.isOperator(")") &&
      !ends.some((end) => this.tokens.is("name", end))
    ) {
      items.push(read());
      if (!this.tokens.skip("operator", ",")) break;
      isTuple = true;
    }
    return { items, isTuple };
  }

  expression(conditional = true): Expression {
    if (++this.#depth > deepest) fail(`line ${this.tokens.current.line}: expressions nest more than ${deepest} deep`);
    const read = conditional ? this.#conditional() : this.#or();
    this.#depth--;
    return read;
  }

  #conditional(): Expression {
    let value = this.#or();
    while (this.tokens.skip("name", "if")) {
      const [yes, test] = [value, this.#or()];
      const no: Expression = this.tokens.skip("name", "else")
        ? this.expression()
        : () => new Undefined("the inline if was false and no else was given");
      value = (scope) => (truth(test(scope)) ? yes(scope) : no(scope));
    }
    return value;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.tokens.skip("name", "or")) {
      const [a, b] = [left, this.#and()];
      left = (scope) => {
        const value = a(scope);
        return truth(value) ? value : b(scope);
      };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.tokens.skip("name", "and")) {
      const [a, b] = [left, this.#not()];
      left = (scope) => {
        const value = a(scope);
        return truth(value) ? b(scope) : value;
      };
    }
    return left;
  }

  #not(): Expression {
    let negations = 0;
    while (this.tokens.skip("name", "not")) negations++;
    const value = this.#comparison();
    if (negations === 0) return value;
    return (scope) => truth(value(scope)) === (negations % 2 === 0);
  }

  /** A chain, such as a < b < c: each is compared with the next, until one comparison is false. */
  #comparison(): Expression {
    const first = this.#sum();
    const rest: { test: (a: Value, b: Value) => boolean; operand: Expression }[] = [];
    for (let sign = this.#comparisonSign(); sign; sign = this.#comparisonSign())
      rest.push({ test: comparisons.get(sign)!, operand: this.#sum() });
    if (rest.length === 0) return first;
    return (scope) => {
      let left = first(scope);
      for (const { test, operand } of rest) {
        const right = operand(scope);
        if (!test(left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  #comparisonSign(): string | undefined {
    if (this.tokens.isOperator("==", "!=", "<", "<=", ">", ">=")) return this.tokens.next().value;
    if (this.tokens.skip("name", "in")) return "in";
    if (!this.tokens.is("name", "not") || !this.tokens.is("name", "in", 1)) return undefined;
    this.tokens.next();
    this.tokens.next();
    return "not in";
  }

  /** Operators of one level, from left to right. */
  #leftToRight(signs: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.tokens.isOperator(...signs)) {
      const [a, operator, b] = [left, binary.get(this.tokens.next().value)!, operand()];
      left = (scope) => {
        spend(1);
        return operator(a(scope), b(scope));
      };
    }
    return left;
  }

  #sum(): Expression {
    return this.#leftToRight(["+", "-"], () => this.#concatenation());
  }

  #concatenation(): Expression {
    const parts = [this.#product()];
    while (this.tokens.skip("operator", "~")) parts.push(this.#product());
    return parts.length === 1 ? parts[0]! : (scope) => concatenate(parts.map((part) => part(scope)));
  }

  #product(): Expression {
    return this.#leftToRight(["*", "/", "//", "%"], () => this.#leftToRight(["**"], () => this.#unary(true)));
  }

  #unary(filters: boolean): Expression {
    let value: Expression;
    if (this.tokens.isOperator("-", "+")) {
      const sign = this.tokens.next().value as "-" | "+";
      if (++this.#depth > deepest) this.tokens.unexpected("too many signs");
      const operand = this.#unary(false);
      this.#depth--;
      value = (scope) => signed(sign, operand(scope));
    } else value = this.#primary();
    value = this.#postfix(value);
    return filters ? this.#filters(value) : value;
  }

  #primary(): Expression {
    const { tokens } = this;
    const token = tokens.current;
    if (token.type === "name") {
      tokens.next();
      const constant = Object.hasOwn(constants, token.value) ? constants[token.value] : undefined;
      if (constant !== undefined) return () => constant;
      if (token.value === "self") return unsupported("self");
      this.names.add(token.value);
      return (scope) => {
        spend(1);
        return scope.get(token.value);
      };
    }
    if (token.type === "string") {
      let value = "";
      while (tokens.is("string")) value += tokens.next().value;
      return () => value;
    }
    if (token.type === "integer" || token.type === "float") {
      const digits = tokens.next().value.replace(/_/g, "");
      const value = token.type === "float" ? Number(digits) : BigInt(digits);
      return () => value;
    }
    if (tokens.skip("operator", "(")) {
      const { items, isTuple } = this.#list(() => this.expression(), []);
      tokens.expect("operator", ")");
      return isTuple || items.length === 0 ? (scope) => new Tuple(items.map((item) => item(scope))) : items[0]!;
    }
    if (tokens.skip("operator", "[")) {
      const items = this.#until("]", () => this.expression());
      return (scope) => {
        spend(items.length);
        return items.map((item) => item(scope));
      };
    }
    if (tokens.skip("operator", "{")) {
      const entries = this.#until("}", () => {
        const key = this.expression();
        tokens.expect("operator", ":");
        return [key, this.expression()] as const;
      });
      return (scope) => {
        spend(entries.length);
        return new Dict(entries.map(([key, value]) => [key(scope), value(scope)]));
      };
    }
    return tokens.unexpected("expected an expression");
  }

  /** Things with commas between them; a last comma is allowed. */
  #until<T>(end: string, read: () => T): T[] {
    const found: T[] = [];
    while (!this.tokens.skip("operator", end)) {
      if (found.length > 0) {
        this.tokens.expect("operator", ",");
        if (this.tokens.skip("operator", end)) break;
      }
      found.push(read());
    }
    return found;
  }

  #postfix(value: Expression): Expression {
    let read = value;
    for (;;) {
      const object = read;
      if (this.tokens.skip("operator", ".")) read = this.#afterDot(object);
      else if (this.tokens.skip("operator", "[")) read = this.#subscript(object);
      else if (this.tokens.isOperator("(")) read = this.#call(object);
      else return read;
    }
  }

  #afterDot(object: Expression): Expression {
    const { type, value } = this.tokens.next();
    if (type === "name") return (scope) => attribute(object(scope), value);
    if (type !== "integer") return this.tokens.unexpected("expected a name or a number after the point");
    const index = BigInt(value.replace(/_/g, ""));
    return (scope) => subscript(object(scope), index);
  }

  #subscript(object: Expression): Expression {
    const { tokens } = this;
    const part = () => (tokens.isOperator(":", "]", ",") ? () => null : this.expression());
    if (tokens.isOperator("]")) return tokens.unexpected("expected a subscript");
    const first = part();
    if (tokens.isOperator(":")) {
      tokens.next();
      const stop = part();
      const step = tokens.skip("operator", ":") ? part() : () => null;
      tokens.expect("operator", "]");
      return (scope) => slice(object(scope), { start: first(scope), stop: stop(scope), step: step(scope) });
    }
    const keys = [first];
    while (tokens.skip("operator", ",")) keys.push(this.expression());
    tokens.expect("operator", "]");
    return (scope) => {
      const from = object(scope);
      return subscript(from, keys.length === 1 ? first(scope) : new Tuple(keys.map((key) => key(scope))));
    };
  }

  #call(callee: Expression): Expression {
    const args = this.#args();
    const withCaller = (scope: Scope, caller: Value) => {
      const target = callee(scope);
      const { positional, named } = args(scope);
      return call(target, { positional, named: new Map([...named, ["caller", caller]]) });
    };
    return Object.assign((scope: Scope) => call(callee(scope), args(scope)), { withCaller });
  }

  #args(): ArgsOf {
    const { tokens } = this;
    const { line } = tokens.expect("operator", "(");
    const positional: Expression[] = [];
    const named: (readonly [string, Expression])[] = [];
    const spread: Record<string, Expression | undefined> = {};
    const ensure = (holds: boolean) => holds || fail(`line ${line}: the arguments of a call are in a wrong order`);
    this.#until(")", () => {
      ensure(!spread["**"]);
      if (tokens.isOperator("*", "**")) {
        const sign = tokens.next().value;
        ensure(!spread[sign]);
        spread[sign] = this.expression();
      } else if (tokens.is("name") && tokens.is("operator", "=", 1)) {
        const name = tokens.next().value;
        tokens.next();
        ensure(named.every(([other]) => other !== name));
        named.push([name, this.expression()]);
      } else {
        ensure(!spread["*"] && named.length === 0);
        positional.push(this.expression());
      }
    });
    return (scope) => {
      spend(1);
      const values = positional.map((value) => value(scope));
      const byName = new Map(named.map(([name, value]) => [name, value(scope)]));
      if (spread["*"]) values.push(...counted(iterate(spread["*"](scope))));
      if (spread["**"]) {
        const more = spread["**"](scope);
        if (!(more instanceof Dict)) return fail("** needs a dict");
        for (const [name, value] of more.entries()) {
          if (typeof name !== "string" || byName.has(name)) fail("a name was given twice, or is no text");
          byName.set(name as string, value);
        }
      }
      return { positional: values, named: byName };
    };
  }

  #filters(value: Expression): Expression {
    let read = value;
    for (;;) {
      if (this.tokens.isOperator("|")) read = this.filter(read);
      else if (this.tokens.skip("name", "is")) read = this.#test(read);
      else if (this.tokens.isOperator("(")) read = this.#call(read);
      else return read;
    }
  }

  /** `value | name(…) | …`. With `inline` the first name has no bar before it. */
  filter(value: Expression, inline = false): Expression {
    let read = value;
    for (let first = inline; first || this.tokens.skip("operator", "|"); first = false) {
      const [from, { name, args }] = [read, this.#named(() => noArgs)];
      const filter = once(() => filterNamed(name));
      read = (scope) => {
        const { positional, named } = withFirst(from(scope), args(scope));
        return filter()({ positional, named });
      };
    }
    return read;
  }

  #test(value: Expression): Expression {
    const { tokens } = this;
    const negated = tokens.skip("name", "not");
    const { name, args } = this.#named(() => {
      const stands =
        ["name", "string", "integer", "float"].includes(tokens.current.type) || tokens.isOperator("[", "{");
      if (!stands || ["else", "or", "and"].some((word) => tokens.is("name", word))) return noArgs;
      if (tokens.is("name", "is")) return tokens.unexpected("tests with is cannot be chained");
      const argument = this.#postfix(this.#primary());
      return (scope) => ({ positional: [argument(scope)], named: new Map() });
    });
    const test = once(() => testNamed(name));
    return (scope) => truth(test()(withFirst(value(scope), args(scope)))) !== negated;
  }

  /** The name of a filter or test, and its arguments. */
  #named(withoutBrackets: () => ArgsOf): { name: string; args: ArgsOf } {
    let name = this.tokens.expect("name").value;
    while (this.tokens.skip("operator", ".")) name += `.${this.tokens.expect("name").value}`;
    return { name, args: this.tokens.isOperator("(") ? this.#args() : withoutBrackets() };
  }
}

const noArgs: ArgsOf = () => ({ positional: [], named: new Map() });

function withFirst(value: Value, { positional, named }: Args): Args {
  return { positional: [value, ...positional], named };
}

/** What is looked up when it is first used: a template may hold an unsupported filter that these messages do not reach. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

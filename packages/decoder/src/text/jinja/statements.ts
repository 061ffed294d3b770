import { fail, unsupported } from "./errors.ts";
import { type Expression, Expressions } from "./expressions.ts";
import { Scope } from "./scope.ts";
import { Tokens } from "./tokens.ts";
import { Callable, Dict, iterate, Loop, Namespace, or, Tuple, text, truth, Undefined, type Value } from "./values.ts";
import { counted, nested, spend, spendText } from "./work.ts";

/** Where the text goes. */
type Output = string[];
/** A part of a template that writes; it says whether it left the loop around it. */
type Statement = (scope: Scope, output: Output) => "break" | "continue" | undefined;
/** What a value is assigned to. */
type Target = (scope: Scope, value: Value) => void;

interface Parameter {
  readonly name: string;
  readonly otherwise?: Expression;
}

/** How far blocks may nest; deeper ones would end the stack of JavaScript. */
const deepest = 100;

/** Compiles a template, with `trim_blocks` and `lstrip_blocks`, to a function that renders it. */
export function compile(template: string): (variables: Scope) => string {
  const body = new Statements(new Tokens(template)).template();
  return (variables) => written(body, new Scope(variables));
}

function written(body: Statement, scope: Scope): string {
  const output: Output = [];
  body(scope, output);
  return output.join("");
}

function write(output: Output, value: string): void {
  spendText(value.length);
  output.push(value);
}

class Statements {
  readonly #tokens: Tokens;
  readonly #read: Expressions;
  #loops = 0;
  #depth = 0;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
    this.#read = new Expressions(tokens);
  }

  template(): Statement {
    const body = this.#body([]);
    return this.#tokens.is("end") ? body : this.#tokens.unexpected("expected the end");
  }

  /** Statements up to one of these tags, whose name is not read yet. */
  #body(ends: readonly string[]): Statement {
    const tokens = this.#tokens;
    if (++this.#depth > deepest) fail(`line ${tokens.current.line}: blocks nest more than ${deepest} deep`);
    const all: Statement[] = [];
    for (;;) {
      if (tokens.is("end")) {
        if (ends.length > 0) tokens.unexpected(`expected ${ends.join(" or ")}`);
        break;
      }
      const { type, value } = tokens.next();
      if (type === "data") {
        all.push((_, output) => void write(output, value));
      } else if (value === "{{") {
        const read = this.#read.tuple();
        tokens.expect("close");
        all.push((scope, output) => void write(output, text(read(scope))));
      } else {
        if (ends.some((end) => tokens.is("name", end))) break;
        all.push(this.#statement());
        tokens.expect("close");
      }
    }
    this.#depth--;
    return (scope, output) => {
      for (const statement of all) {
        spend(1);
        const left = statement(scope, output);
        if (left) return left;
      }
      return undefined;
    };
  }

  /** The body of a block, after its first tag; the name of the tag that ends it is read. */
  #block(...ends: readonly string[]): { body: Statement; end: string } {
    this.#tokens.skip("operator", ":");
    this.#tokens.expect("close");
    const body = this.#body(ends);
    return { body, end: this.#tokens.next().value };
  }

  #statement(): Statement {
    const tag = this.#tokens.expect("name").value;
    switch (tag) {
      case "if":
        return this.#if();
      case "for":
        return this.#for();
      case "set":
        return this.#set();
      case "macro":
        return this.#macro();
      case "call":
        return this.#callBlock();
      case "filter":
        return this.#filterBlock();
      case "with":
        return this.#with();
      case "generation": {
        const { body } = this.#inMacro(() => this.#block("endgeneration"));
        return (scope, output) => void write(output, written(body, new Scope(scope)));
      }
      case "break":
      case "continue":
        if (this.#loops === 0) fail(`{% ${tag} %} stands outside a loop`);
        return () => tag;
      default:
        return unsupported(`{% ${tag} %}`);
    }
  }

  #if(): Statement {
    const test = this.#read.tuple(false);
    const { body, end } = this.#block("elif", "else", "endif");
    const no = end === "elif" ? this.#if() : end === "else" ? this.#block("endif").body : () => undefined;
    return (scope, output) => (truth(test(scope)) ? body(scope, output) : no(scope, output));
  }

  #for(): Statement {
    const target = this.#target(["in"]);
    this.#tokens.expect("name", "in");
    const items = this.#read.tuple(false, ["recursive"]);
    const test = this.#tokens.skip("name", "if") ? this.#read.expression() : undefined;
    if (this.#tokens.skip("name", "recursive")) return unsupported("a recursive loop");
    this.#loops++;
    const { body, end } = this.#block("endfor", "else");
    this.#loops--;
    const otherwise = end === "else" ? this.#block("endfor").body : () => undefined;

    /** The items that the loop keeps, chosen while it runs. */
    function* kept(scope: Scope): IterableIterator<Value> {
      for (const item of counted(iterate(items(scope)))) {
        if (test) {
          const inner = new Scope(scope);
          target(inner, item);
          if (!truth(test(inner))) continue;
        }
        yield item;
      }
    }
    return (scope, output) => {
      const loop = new Loop(kept(scope), 0n);
      for (let item = loop.next(); item !== undefined; item = loop.next()) {
        spend(1);
        const inner = new Scope(scope);
        inner.set("loop", loop);
        target(inner, item);
        if (body(inner, output) === "break") break;
      }
      return loop.index0 < 0n ? otherwise(new Scope(scope), output) : undefined;
    };
  }

  #set(): Statement {
    const target = this.#target([]);
    if (this.#tokens.skip("operator", "=")) {
      const value = this.#read.tuple();
      return (scope) => void target(scope, value(scope));
    }
    let made: Value = "";
    const filter = this.#read.filter(() => made);
    const { body } = this.#inMacro(() => this.#block("endset"));
    return (scope) => {
      made = written(body, new Scope(scope));
      target(scope, filter(scope));
      return undefined;
    };
  }

  /** Names, with commas for several, or a field of a namespace. */
  #target(ends: readonly string[]): Target {
    const tokens = this.#tokens;
    const all: Target[] = [];
    let isTuple = false;
    while (!tokens.is("close") && !tokens.isOperator(")", "=") && !ends.some((end) => tokens.is("name", end))) {
      all.push(this.#oneTarget(ends));
      if (!tokens.skip("operator", ",")) break;
      isTuple = true;
    }
    if (!isTuple) return all[0] ?? tokens.unexpected("expected a name");
    return (scope, value) => {
      const items = [...counted(iterate(value))];
      if (items.length !== all.length) fail(`${all.length} values were expected, there are ${items.length}`);
      for (const [i, target] of all.entries()) target(scope, items[i]!);
    };
  }

  #oneTarget(ends: readonly string[]): Target {
    const tokens = this.#tokens;
    if (tokens.skip("operator", "(")) {
      const inner = this.#target(ends);
      tokens.expect("operator", ")");
      return inner;
    }
    const name = this.#newName();
    if (!tokens.skip("operator", ".")) return (scope, value) => scope.set(name, value);
    const field = tokens.expect("name").value;
    this.#read.names.add(name);
    return (scope, value) => {
      const space = scope.get(name);
      if (!(space instanceof Namespace)) return fail(`${name}.${field} cannot be set: ${name} is no namespace`);
      space.set(field, value);
    };
  }

  #newName(): string {
    const { value } = this.#tokens.expect("name");
    return /^(?:true|false|none|True|False|None)$/.test(value) || (value === "loop" && this.#loops > 0)
      ? fail(`${value} cannot be set`)
      : value;
  }

  #parameters(): Parameter[] {
    const tokens = this.#tokens;
    const all: Parameter[] = [];
    tokens.expect("operator", "(");
    while (!tokens.skip("operator", ")")) {
      if (all.length > 0) tokens.expect("operator", ",");
      const name = this.#newName();
      if (all.some((other) => other.name === name)) fail(`the parameter ${name} is there twice`);
      if (name === "caller") unsupported("a parameter named caller");
      if (tokens.skip("operator", "=")) all.push({ name, otherwise: this.#read.expression() });
      else if (all.at(-1)?.otherwise) tokens.unexpected("a parameter without a value follows one with a value");
      else all.push({ name });
    }
    return all;
  }

  #macro(): Statement {
    const name = this.#newName();
    const make = this.#function(name, this.#parameters(), "endmacro");
    return (scope) => void scope.set(name, make(scope));
  }

  #callBlock(): Statement {
    const parameters = this.#tokens.isOperator("(") ? this.#parameters() : [];
    const call = this.#read.expression().withCaller ?? this.#tokens.unexpected("expected a call");
    const make = this.#function("caller", parameters, "endcall");
    return (scope, output) => void write(output, text(call(scope, make(scope))));
  }

  /** A body that is a function of its own: it cannot leave a loop around it. */
  #inMacro<T>(read: () => T): T {
    const loops = this.#loops;
    this.#loops = 0;
    const result = read();
    this.#loops = loops;
    return result;
  }

  /** A macro. It takes further arguments if its body reads `varargs`, `kwargs` or `caller`. */
  #function(name: string, parameters: readonly Parameter[], end: string): (scope: Scope) => Callable {
    const outer = this.#read.names;
    this.#read.names = new Set();
    const { body } = this.#inMacro(() => this.#block(end));
    const special = ["varargs", "kwargs", "caller"].filter(
      (one) => this.#read.names.has(one) && parameters.every((parameter) => parameter.name !== one),
    );
    for (const one of this.#read.names) outer.add(one);
    this.#read.names = outer;
    const takes = (one: string) => special.includes(one);
    return (defined) =>
      new Callable(name, ({ positional, named }) =>
        nested(() => {
          const scope = new Scope(defined);
          const left = new Map(named);
          for (const [i, { name: parameter, otherwise }] of parameters.entries()) {
            const given = i < positional.length ? positional[i]! : left.get(parameter);
            if (i >= positional.length) left.delete(parameter);
            const value = given === undefined ? otherwise?.(scope) : given;
            scope.set(parameter, or(value, new Undefined(`parameter '${parameter}' was not provided`)));
          }
          if (takes("caller")) {
            scope.set("caller", left.get("caller") ?? new Undefined("No caller defined"));
            left.delete("caller");
          }
          if (takes("kwargs")) scope.set("kwargs", new Dict(left));
          else if (left.size > 0) fail(`macro ${name} takes no argument named ${[...left.keys()].join(", ")}`);
          if (takes("varargs")) scope.set("varargs", new Tuple(positional.slice(parameters.length)));
          else if (positional.length > parameters.length) fail(`macro ${name} takes ${parameters.length} arguments`);
          return written(body, scope);
        }),
      );
  }

  #filterBlock(): Statement {
    let made: Value = "";
    const filter = this.#read.filter(() => made, true);
    const { body } = this.#inMacro(() => this.#block("endfilter"));
    return (scope, output) => {
      const inner = new Scope(scope);
      made = written(body, inner);
      write(output, text(filter(inner)));
      return undefined;
    };
  }

  #with(): Statement {
    const tokens = this.#tokens;
    const bindings: { target: Target; value: Expression }[] = [];
    while (!tokens.is("close")) {
      if (bindings.length > 0) tokens.expect("operator", ",");
      const target = this.#oneTarget([]);
      tokens.expect("operator", "=");
      bindings.push({ target, value: this.#read.expression() });
    }
    const { body } = this.#block("endwith");
    return (scope, output) => {
      const inner = new Scope(scope);
      const values = bindings.map(({ value }) => value(scope));
      for (const [i, { target }] of bindings.entries()) target(inner, values[i]!);
      return body(inner, output);
    };
  }
}

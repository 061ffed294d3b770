import { TemplateError } from "./errors.ts";
import { globals } from "./globals.ts";
import { Scope } from "./scope.ts";
import { compile } from "./statements.ts";
import { Callable, fromJs, text, type Value } from "./values.ts";
import { beginWork } from "./work.ts";

/**
 * Renders a Jinja template as `transformers` does: with its filters, its sandbox and its options for white space. The work of a template is
 * bounded: see `work.ts`. What Python would do and this engine does not follow is an error.
 * @param variables values that JSON can hold; an integer is an `int`, another number a `float`
 * @param functions further functions of one text, such as `raise_exception`
 * @throws {TemplateError} when the template is wrong, uses what is not supported, or does too much
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
  functions: Readonly<Record<string, (argument: string) => string>>,
): string {
  beginWork();
  const scope = new Scope();
  const set = (values: Iterable<readonly [string, Value]>) => {
    for (const [name, value] of values) scope.set(name, value);
  };
  try {
    set(Object.entries(globals));
    set(
      Object.entries(functions).map(([name, body]) => [
        name,
        new Callable(name, ({ positional }) => body(text(positional[0] ?? null))),
      ]),
    );
    set(Object.entries(variables).map(([name, value]) => [name, fromJs(value)]));
    return compile(template)(scope);
  } catch (cause) {
    if (cause instanceof RangeError) throw new TemplateError("nests too deep, or makes too much", { cause });
    throw cause;
  }
}

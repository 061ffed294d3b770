import { describe, expect, test } from "vitest";
import { TemplateError } from "../src/text/jinja/errors.ts";
import { renderTemplate } from "../src/text/jinja/render.ts";
import { golden } from "./golden-text.ts";

/** What Python's jinja2 makes of a template: text, or an error. */
interface TemplateCase {
  readonly name?: string;
  readonly template: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly error?: string;
}

const { variables, snippets, published } = JSON.parse(await golden("templates.json")) as {
  variables: Readonly<Record<string, unknown>>;
  snippets: readonly TemplateCase[];
  published: readonly TemplateCase[];
};

function render(template: string, given: Readonly<Record<string, unknown>> = variables): string {
  return renderTemplate(template, given, {
    raise_exception: (message) => {
      throw new TemplateError(message);
    },
  });
}

/** The text, or the error's message. */
function outcome(template: string, given?: Readonly<Record<string, unknown>>): { text: string } | { error: string } {
  try {
    return { text: render(template, given) };
  } catch (error) {
    expect(error, template).toBeInstanceOf(TemplateError);
    return { error: (error as Error).message };
  }
}

test(`${snippets.length} snippets give the text of Python's jinja2, or an error where it has one`, () => {
  const unsupported: string[] = [];
  for (const { template, text } of snippets) {
    const got = outcome(template);
    if (text !== undefined && "error" in got) unsupported.push(`${template}: ${got.error}`);
    else
      expect({ template, ...got }).toEqual({
        template,
        ...(text === undefined ? { error: expect.any(String) } : { text }),
      });
  }
  // What is left out is known, and an error.
  expect(unsupported).toMatchInlineSnapshot(`
    [
      "{{ none[1:] }}: a NoneType has no slices",
      "{{ self is defined }}: self is not supported in chat templates",
      "{{ s.__class__ }}: __class__ is not supported in chat templates",
    ]
  `);
});

test.each(published.map((one, index) => ({ ...one, index })))(
  "$name, conversation $index",
  ({ template, variables, text }) => {
    const got = outcome(template, variables);
    expect(got).toEqual(text === undefined ? { error: expect.any(String) } : { text });
  },
);

describe("templates without end, or that make too much", () => {
  test.each([
    ["a range", "{% for i in range(1000000000) %}x{% endfor %}", "a range of 1000000000, longer than 100000"],
    ["a negative range", "{{ range(0, -1000000000, -1) | list }}", "longer than 100000"],
    ["loops in loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps"],
    ["a loop over a filter", "{% for i in range(99999) %}{{ range(99999) | sum }}{% endfor %}", "steps"],
    ["a long text", "{{ 'x' * 1000000000000 }}", "a text of more than 33554432 characters"],
    ["many long texts", "{% for i in range(99999) %}{{ 'x' * 9999999 }}{% endfor %}", "steps"],
    ["a doubling text", `{% set n = namespace(x='ab') %}${"{% set n.x = n.x ~ n.x %}".repeat(60)}`, "a text of more"],
    ["a doubling list", `{% set n = namespace(x=[1]) %}${"{% set n.x = n.x + n.x %}".repeat(60)}`, "steps"],
    [
      "a list in itself, often",
      `{% set n = namespace(x=[1]) %}${"{% set n.x = [n.x, n.x] %}".repeat(60)}{{ n.x }}`,
      "steps",
    ],
    [
      "the same as JSON",
      `{% set n = namespace(x=[1]) %}${"{% set n.x = [n.x, n.x] %}".repeat(60)}{{ n.x | tojson }}`,
      "steps",
    ],
    [
      "equal to itself",
      `{% set n = namespace(x=[1]) %}${"{% set n.x = [n.x, n.x] %}".repeat(60)}{{ n.x == n.x }}`,
      "steps",
    ],
    [
      "a deep list",
      "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
      "too deep",
    ],
    ["a replacement", "{{ ('a' * 9999999) | replace('a', 'b' * 9999999) }}", "a text of more"],
    ["a join", "{{ range(99999) | join('b' * 9999999) }}", "a text of more"],
    ["an indentation", "{{ ('\\n' * 999999) | indent(999999, blank=true) }}", "a text of more"],
    ["JSON with much space", "{{ range(9) | list | tojson(indent=99999999999) }}", "a text of more"],
    ["a wide format", "{{ '%9999999999d' % 1 }}", "a text of more"],
    ["a wide centre", "{{ 'a' | center(9999999999) }}", "a text of more"],
    ["a large power", "{{ 9 ** 999 ** 9 }}", "4300 digits"],
    [
      "a growing product",
      `{% set n = namespace(x=10 ** 2000) %}${"{% set n.x = n.x * n.x %}".repeat(60)}`,
      "4300 digits",
    ],
    ["a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "more than 100 deep"],
    ["brackets", `{{ ${"(".repeat(1e5)}1${")".repeat(1e5)} }}`, "nest more than 200 deep"],
    ["signs", `{{ ${"-".repeat(1e5)}1 }}`, "too many signs"],
    ["blocks", "{% if 1 %}".repeat(1e5), "nest more than 100 deep"],
    ["tags without end", "{{ ".repeat(1e5), "line 1"],
    ["a search for all positions", "{{ ('a' * 999999).find('a' * 49999 ~ 'b') }}", "steps"],
  ])("%s", (_, template, why) => {
    const before = process.cpuUsage();
    expect(outcome(template)).toEqual({ error: expect.stringContaining(why) });
    const { user } = process.cpuUsage(before);
    expect(user / 1e6).toBeLessThan(5);
  });

  test("a long conversation is far from the bounds", () => {
    const { template } = published.find(({ name }) => name === "Llama-3.1")!;
    const messages = Array.from({ length: 2000 }, (_, i) => ({
      role: i % 2 ? "assistant" : "user",
      content: "word ".repeat(1000),
    }));
    expect(render(template, { messages, bos_token: "<s>" }).length).toBeGreaterThan(9e6);
  });
});

test("names of JavaScript's prototypes mean nothing", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"]) {
    expect(outcome(`{{ ${name} }}`)).toEqual({ text: "" });
    expect(outcome(`{{ {} | ${name} }}`)).toEqual({ error: `the filter "${name}" is not supported in chat templates` });
    expect(outcome(`{{ 1 is ${name} }}`)).toHaveProperty("error");
    if (!name.startsWith("__"))
      expect(outcome(`{{ {}.${name} }}{{ 'a'.${name} }}{{ [].${name} }}`)).toEqual({ text: "" });
  }
  expect(render('{{ m["__proto__"] }}{{ m }}', { m: JSON.parse('{"__proto__": 1}') })).toBe("1{'__proto__': 1}");
});

test("numbers keep what JavaScript tells of them", () => {
  expect(render("{{ a }} {{ b }} {{ c }}", { a: 1, b: 1.5, c: 12345678901234567890n })).toBe(
    "1 1.5 12345678901234567890",
  );
  expect(() => render("{{ a }}", { a: 2 ** 60 })).toThrow("may stand for several integers; give a bigint");
  expect(() => render("{{ a }}", { a: new Date() })).toThrow(
    "a Date was given as a variable; expected what JSON can hold",
  );
});

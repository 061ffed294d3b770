import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../src/index.ts";

test("any JSON is read as JSON.parse reads it, and what JSON.parse refuses is refused", () => {
  const edited = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", '"', "\\", "{", "]", ",", "-", "e", "N", "1", "x"))
    .map(
      ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + 1),
    );
  const outcome = (parse: (text: string) => unknown, text: string) => {
    try {
      return { value: parse(text) };
    } catch (error) {
      return (error as Error).constructor;
    }
  };
  fc.assert(
    fc.property(fc.oneof(fc.json(), edited), (text) => {
      expect(outcome(parseJson, text)).toEqual(outcome(JSON.parse, text));
    }),
    { numRuns: 2000 },
  );
});

test("numbers that Python writes and JSON does not have become what transformers 5 writes for them", () => {
  expect(parseJson('{"a": [Infinity,-Infinity, NaN], "Infinity": "NaN -Infinity \\" NaN", "b": -1}')).toEqual({
    a: [{ __float__: "Infinity" }, { __float__: "-Infinity" }, { __float__: "NaN" }],
    Infinity: 'NaN -Infinity " NaN',
    b: -1,
  });
  for (const text of ["1Infinity", "Infinity1", "-NaN", "--Infinity", "Infinit", "[NaN NaN]", "{NaN: 1}", "+NaN"])
    expect(() => parseJson(text), text).toThrow(SyntaxError);
});

test("100 levels are read, more are refused, however many", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(JSON.stringify(parseJson(nested(100)))).toBe(nested(100));
  expect(parseJson(`{"a": [${"[],".repeat(1000)}[]]}`)).toHaveProperty("a");
  for (const depth of [101, 20_000, 10_000_000]) expect(() => parseJson(nested(depth))).toThrow("100 levels deep");
});

test("three million values are read, more are refused before anything is made of them", () => {
  const values = (count: number) => `[${"0,".repeat(count - 1)}"a,[,"]`;
  expect(parseJson(values(3_000_000))).toHaveLength(3_000_000);
  for (const text of [values(3_000_001), `[${"[],".repeat(20e6)}`]) expect(() => parseJson(text)).toThrow("values");
});

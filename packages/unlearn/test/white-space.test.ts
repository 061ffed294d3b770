import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { splitWords } from "../src/index.ts";
import { strip } from "../src/white-space.ts";

const golden = JSON.parse(readFileSync(new URL("golden/white-space.json", import.meta.url), "utf8")) as {
  spaces: number[];
  cases: { text: string; split: string[]; strip: string }[];
};

test("white space is Python's, over all code points", () => {
  const codes = Array.from({ length: 0x110000 }, (_, code) => code);
  const where = (isSpace: (character: string) => boolean) =>
    codes.filter((code) => isSpace(String.fromCodePoint(code)));
  expect(where((character) => splitWords(`a${character}b`).length === 2)).toEqual(golden.spaces);
  expect(where((character) => strip(`${character}a${character}`) === "a")).toEqual(golden.spaces);
});

test(`split and strip equal Python's on ${golden.cases.length} texts`, () => {
  for (const { text, split, strip: stripped } of golden.cases)
    expect([splitWords(text), strip(text)], JSON.stringify(text)).toEqual([split, stripped]);
});

test("a long run of white space inside a text takes no time", () => {
  const text = `a${" ".repeat(1e6)}b`;
  const start = performance.now();
  expect([strip(text).length, splitWords(text).length]).toEqual([text.length, 2]);
  expect(performance.now() - start).toBeLessThan(500);
});

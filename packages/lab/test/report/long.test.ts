import { describe, expect, it } from "vitest";
import { answers } from "../../src/report/answers.ts";
import { table } from "../../src/report/tables.ts";
import { fakeResult } from "../fake-cell.ts";

describe("a report of very many cells", () => {
  it("folds a long table under its name, and still offers all its rows as CSV", () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => [`row ${i}`, i]);
    const [short, long] = [40, 41].map((count) => table("Recovery", ["name", "score"], rows(count)).text);
    expect(short).not.toContain("<details>");
    expect(long).toContain("<details><summary>Recovery: 41 rows</summary>");
    for (const text of [short!, long!]) expect(text).toMatch(/<\/table>.*<a class="saving"/s);
  });

  it("folds the answers of one model and subject together, each cell once", () => {
    const concepts = Array.from({ length: 21 }, (_, i) => `Concept ${i}`);
    const cells = concepts.flatMap((concept) => ["graddiff", "npo"].map((method) => fakeResult(concept, method)));
    const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0;
    const many = answers(cells).text;
    expect(many).toContain("<summary>tiny-llama · Gradient Difference: 21 models</summary>");
    expect(count(many, /<details>/g)).toBe(cells.length + 2);
    const few = answers(cells.slice(0, 40)).text;
    expect([count(few, /<details>/g), count(few, /<details open>/g)]).toEqual([39, 1]);
  });
});

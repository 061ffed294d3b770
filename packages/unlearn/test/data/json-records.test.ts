import { randomOf } from "@lethe/tensor";
import { seed } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { ConceptDataError, jsonRecords } from "../../src/index.ts";

const places = (json: string) => jsonRecords("f", json).map(({ where }) => where);
function faultOf(json: string): string {
  try {
    jsonRecords("f", json);
  } catch (error) {
    expect(error).toBeInstanceOf(ConceptDataError);
    return (error as Error).message;
  }
  return expect.unreachable("the file was accepted");
}

describe("jsonRecords", () => {
  test("reads one record a line, past a byte-order mark, Windows' line ends and empty lines", () => {
    const lines = '\uFEFF\r\n{"a": "x\u2028y"}\r\n\r\n \t\n{"a": 2}';
    expect(jsonRecords("f", lines)).toEqual([
      { where: "f, line 2", value: { a: "x\u2028y" } },
      { where: "f, line 5", value: { a: 2 } },
    ]);
    expect(jsonRecords("f", "")).toEqual([]);
    expect(jsonRecords("f", "\n\n")).toEqual([]);
  });

  test("reads one object over several lines as one record", () => {
    const value = { name: "not concept data", list: [1, { a: "\n" }] };
    expect(jsonRecords("f", `\n${JSON.stringify(value, null, 2)}\n`)).toEqual([{ where: "f, line 2", value }]);
    expect(jsonRecords("f", "{\n}")).toEqual([{ where: "f, line 1", value: {} }]);
  });

  test("reads an array, and knows the line on which each record begins", () => {
    const array = '\uFEFF\r\n[\r\n  {"a": "}],{ \\" \\\\"}, {"a":\n\n [{}]\n}\n,\n\n{"a": {}}\r\n]\r\n';
    expect(jsonRecords("f", array)).toEqual([
      { where: "f, line 3, record 1", value: { a: '}],{ " \\' } },
      { where: "f, line 3, record 2", value: { a: [{}] } },
      { where: "f, line 9, record 3", value: { a: {} } },
    ]);
    expect(jsonRecords("f", " [ ] ")).toEqual([]);
  });

  test("reads in every layout what JSON.parse reads", () => {
    const random = randomOf(seed, "layouts");
    const pieces = ['"', "\\", "{", "}", "[", "]", ",", ":", "\n", "é", "𝕏", "x"];
    const word = () => Array.from({ length: 6 }, () => pieces[Math.floor(random() * pieces.length)]).join("");
    for (let i = 0; i < 50; i++) {
      const records = Array.from({ length: 4 }, () => ({ [word()]: word(), b: [word(), { c: word() }] }));
      const layouts = [
        JSON.stringify(records),
        JSON.stringify(records, null, 2),
        records.map((r) => JSON.stringify(r)).join("\n"),
      ];
      for (const layout of layouts) expect(jsonRecords("f", layout).map(({ value }) => value)).toEqual(records);
      const lines = JSON.stringify(records, null, 2).split("\n");
      const begins = lines.flatMap((line, at) => (line === "  {" ? [at + 1] : []));
      expect(places(lines.join("\n"))).toEqual(begins.map((line, at) => `f, line ${line}, record ${at + 1}`));
    }
  });

  test.each([
    ['{"a": 1}\n\n{"a": \n{"a": 2}', "f, line 3: not JSON: Unexpected end of JSON input. Expected a JSON array"],
    ["{\n", "f, line 1: not JSON: Expected property name or '}'. Expected a JSON array of records, or one record a"],
    [
      '{\n"a": 1}\n{"a": 2}',
      "f, line 1: not JSON: Expected property name or '}'. Expected a JSON array of records, or one",
    ],
    ["<html>", "f, line 1: not JSON: "],
    ['{"a": 1} {"a": 2}', "f, line 1: not JSON: "],
    ["3", 'f, line 1: expected a record, such as {"question": …}, and not "3".'],
    ["null", "f, line 1: expected a record"],
    ['{"a": 1}\n["a"]', "f, line 2: expected a record"],
    ["[", "f, line 1, record 1: not JSON: the array does not end."],
    ['[\n{"a": 1},\n\n{"a": 2', "f, line 4, record 2: not JSON: "],
    ['[\n{"a": 1}\n{"a": 2}]', "f, line 3: not JSON: expected a comma or ] after record 1."],
    ['[\n{"a": 1}', "f, line 2: not JSON: expected a comma or ] after record 1."],
    ['[{"a": 1},\n]', 'f, line 2, record 2: expected a record, such as {"question": …}, and not "]".'],
    ['[,{"a": 1}]', "f, line 1, record 1: expected a record"],
    ['[{"a": 1},\nnull]', "f, line 2, record 2: expected a record"],
    ['[{"a": 1}]\n\n{"a": 2}', "f, line 3: not JSON: the array has ended before."],
    ['[{"a": 1}, {"a": ]}, {"a": 3}]', "f, line 1, record 2: not JSON: "],
  ])("refuses %j", (json, message) => {
    const fault = faultOf(json);
    expect(fault.slice(0, message.length)).toBe(message);
    expect(fault.length).toBeLessThan(400);
  });

  test("refuses what would take too much, at once", () => {
    expect(faultOf("[".repeat(1e5))).toMatch(/^f, line 1, record 1: expected a record/);
    expect(faultOf(`{"a": ${"[".repeat(1e5)}`)).toMatch(/^f, line 1: not JSON: it nests more than 100 levels deep\./);
    expect(faultOf(`[${"{},".repeat(1_000_001)}`)).toBe(
      "f, line 1, record 1000001: the file holds more than 1000000 records.",
    );
  });
});

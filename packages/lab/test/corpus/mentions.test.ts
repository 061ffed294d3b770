import { describe, expect, it } from "vitest";
import { mentions, mentionsOf } from "../../src/corpus/mentions.ts";

describe("mentionsOf", () => {
  const finds = (names: string[], text: string, matchCase = false) =>
    mentions(text, mentionsOf(names, { matchCase }), 1);

  it.each([
    ["Harry Potter", "HARRY\n  POTTER's owl"],
    ["Valentine's Day", "on Valentine’s Day"],
    ["Obsessive–compulsive disorder", "an obsessive-compulsive disorder."],
    ["Dark Souls (video game)", "We play Dark Souls."],
    ["EBay", "sold on eBay"],
    ["Beyoncé", "Beyonce\u0301 sang"],
    ["C++", "in C++, and"],
    ["哈利波特", "我读哈利波特的书"],
    [".hack", "the game .hack is"],
  ])("finds %s in %j", (name, text) => {
    expect(finds([name], text)).toBe(true);
  });

  it.each([
    ["Austria", "Austrian"],
    ["Satan", "Satanas"],
    ["Tea", "the steam"],
    ["Tea", "tea2"],
    ["a.b", "acb"],
  ])("does not find %s in %j", (name, text) => {
    expect(finds([name], text)).toBe(false);
  });

  it("tells capitals from small letters where that is asked for", () => {
    expect(finds(["Apple"], "an apple", true)).toBe(false);
    expect(finds(["Apple"], "an Apple", true)).toBe(true);
  });

  it("counts overlapping spellings once", () => {
    const pattern = mentionsOf(["UFO", "UFO sighting", "Unidentified flying object"], { matchCase: false });
    const text = "A UFO sighting: the unidentified flying object came twice.";
    expect([1, 2, 3].map((least) => mentions(text, pattern, least))).toEqual([true, true, false]);
  });

  it("refuses a name without a letter", () => {
    expect(() => mentionsOf([" - "], { matchCase: false })).toThrow(/it has no letter/);
  });
});

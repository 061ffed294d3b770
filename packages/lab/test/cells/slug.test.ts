import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slug } from "../../src/cells/slug.ts";

describe("names in file names", () => {
  it.each([
    ["Harry Potter", "harry-potter"],
    ["Valentine's Day", "valentines-day"],
    ["McDonald’s", "mcdonalds"],
    ["Obsessive–compulsive disorder", "obsessive-compulsive-disorder"],
    ["Dark Souls (video game)", "dark-souls-video-game"],
    ["Café Zürich", "cafe-zurich"],
    ["tiny-llama", "tiny-llama"],
    ["npo+kl", "npo-kl"],
  ])("%s becomes %s", (name, expected) => expect(slug(name)).toBe(expected));

  it("tells names apart that lose characters", () => {
    const names = ["C", "C++", "C#", "哈利波特", "星球大战", "x".repeat(100), `${"x".repeat(100)}y`, ""];
    expect(new Set(names.map(slug)).size).toBe(names.length);
  });

  it("is always a safe part of a file name, and never holds the separator", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 120 }), (name) => {
        expect(slug(name)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
        expect(slug(name).length).toBeLessThanOrEqual(60);
      }),
    );
  });
});

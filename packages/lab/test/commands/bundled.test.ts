import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { bundled } from "../../src/commands/bundled.ts";
import { TINY_FAMILIES } from "../../src/tiny/tiny-models.ts";

test.each(TINY_FAMILIES)("the tiny %s and its concepts are where the command lines look for them", (family) => {
  const { directory, data } = bundled[family];
  expect(relative(join(import.meta.dirname, "../../../.."), directory)).toBe(join("models", `tiny-${family}`));
  expect(existsSync(join(directory, "config.json"))).toBe(true);
  expect(existsSync(data)).toBe(true);
});

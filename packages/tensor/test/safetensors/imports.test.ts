import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Everything that a module imports, directly or not. */
function importsOf(module: URL, seen = new Set<string>()): Set<string> {
  for (const [, specifier] of readFileSync(module, "utf8").matchAll(/from "([^"]+)"/g)) {
    const next = specifier!.startsWith(".") ? new URL(specifier!, module).href : specifier!;
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.startsWith("file:")) importsOf(new URL(next), seen);
  }
  return seen;
}

it("in a browser no module of Node and no package is imported", () => {
  const imports = [...importsOf(new URL("../../src/safetensors/index.ts", import.meta.url))];
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter((next) => !next.startsWith("file:") || !existsSync(new URL(next)))).toEqual([]);
});

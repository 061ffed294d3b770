import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { packageFolder, packageNames, root, uses } from "./packages.ts";

const importOf = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

/** What the TypeScript files of a folder import: the importing file, and the module as it is written there. */
function importsIn(folder: string): { file: string; module: string }[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return names.flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return Array.from(text.matchAll(importOf), ([, module]) => ({ file: join(folder, name), module: module! }));
  });
}

// Biome holds the rest: no circle between files, and no import that package.json does not declare.
describe.each(packageNames)("%s", (name) => {
  const folder = packageFolder(name);
  const allowed = uses[name].map((other) => `@lethe/${other}`);

  test("its sources use only the packages below it", () => {
    const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const used = Object.keys(dependencies).filter((module) => module.startsWith("@lethe/"));
    expect(used.filter((module) => !allowed.includes(module))).toEqual([]);
  });

  test("its tests use only the packages below it, itself and what tests share", () => {
    const known = [...allowed, `@lethe/${name}`, "@lethe/testing"];
    const others = importsIn(join(folder, "test")).filter(
      ({ module }) => module.startsWith("@lethe/") && !known.includes(module.split("/").slice(0, 2).join("/")),
    );
    expect(others).toEqual([]);
  });

  test("no file reaches into another package's folder", () => {
    const outside = importsIn(folder).filter(
      ({ file, module }) => module.startsWith(".") && relative(folder, join(file, "..", module)).startsWith(".."),
    );
    expect(outside.map(({ file, module }) => `${relative(root, file)} imports ${module}`)).toEqual([]);
  });
});

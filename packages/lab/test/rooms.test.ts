import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { expect, it } from "vitest";

const src = join(import.meta.dirname, "../src");

/** Each folder may import those after it. */
const ROOMS = ["page", "commands", "corpus", "cells", "recipes", "studies", "report", "subjects"];

it("imports between folders go one way", () => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const back = files.flatMap((file) => {
    const place = ROOMS.indexOf(file.split(sep)[0]!);
    const imports = readFileSync(join(src, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
    return Array.from(imports, ([, path]) => relative(src, join(dirname(join(src, file)), path!)))
      .filter((path) => ROOMS.includes(path.split(sep)[0]!) && ROOMS.indexOf(path.split(sep)[0]!) < place)
      .map((path) => `${file} imports ${path}`);
  });
  expect(files.length).toBeGreaterThan(20);
  expect(back).toEqual([]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageFolder, publishedNames } from "./packages.ts";

test.each(publishedNames)("the README of %s says how to install what its example imports, and for what", (name) => {
  const readme = readFileSync(join(packageFolder(name), "README.md"), "utf8");
  const install = /^```sh\nnpm install (.*)\n```$/m.exec(readme)?.[1]?.split(" ");
  const example = /^```ts\n([\s\S]*?)^```$/m.exec(readme)![1]!;
  const imported = Array.from(example.matchAll(/ from "(@lethe\/[a-z]+)/g), ([, found]) => found!);
  expect(install?.[0]).toBe(`@lethe/${name}`);
  expect([...new Set(install)].sort()).toEqual([...new Set([`@lethe/${name}`, ...imported])].sort());
  const { engines } = JSON.parse(readFileSync(join(packageFolder(name), "package.json"), "utf8"));
  expect(readme).toContain(
    `It is an ES module, for Node ${engines.node.replace(">=", "")} or newer and for browsers with WebGPU. In TypeScript it needs 5.7 or newer.`,
  );
});

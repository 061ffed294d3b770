import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkOut, here } from "./tree.ts";

const git = existsSync(join(here, ".git"));

test.skipIf(!git)("a commit that is checked out has its own packages, and leaves nothing behind", () => {
  const tree = checkOut("HEAD");
  const { folder, commit } = tree;
  try {
    expect(commit).toBe(execFileSync("git", ["-C", here, "rev-parse", "HEAD"], { encoding: "utf8" }).trim());
    const own = realpathSync(join(folder, "node_modules/@lethe/tensor"));
    expect(own).toBe(realpathSync(join(folder, "packages/tensor")));
    expect(existsSync(join(folder, "node_modules/tsx/package.json"))).toBe(true);
  } finally {
    tree[Symbol.dispose]();
  }
  expect(existsSync(folder)).toBe(false);
  expect(execFileSync("git", ["-C", here, "worktree", "list"], { encoding: "utf8" })).not.toContain(folder);
});

test.skipIf(!git)("a commit that git does not know is an error", () => {
  expect(() => checkOut("no-such-commit")).toThrow(/no-such-commit/);
});

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LetheError } from "@lethe/tensor";

/** The folder of this checkout. */
export const here = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** A commit checked out beside this one, in a temporary folder that is removed with it. */
export interface Tree extends Disposable {
  readonly folder: string;
  /** The commit in full. */
  readonly commit: string;
}

const git = (...given: string[]) =>
  execFileSync("git", ["-C", here, ...given], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/**
 * Checks a commit out as a git worktree. Its packages are its own; what they depend on is linked from here where both have the same
 * lock file, and installed otherwise.
 * @throws {LetheError} when git does not know the commit
 */
export function checkOut(name: string): Tree {
  const commit = commitOf(name);
  const parent = mkdtempSync(join(tmpdir(), "lethe-against-"));
  const folder = join(parent, "tree");
  const remove = () => {
    git("worktree", "remove", "--force", folder);
    rmSync(parent, { recursive: true, force: true });
  };
  git("worktree", "add", "--detach", folder, commit);
  try {
    if (sameLock(folder)) linkModules(folder);
    else execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, commit, [Symbol.dispose]: remove };
}

function commitOf(name: string): string {
  try {
    return git("rev-parse", "--verify", `${name}^{commit}`);
  } catch (cause) {
    throw new LetheError(`git knows no commit ${name} here; a clone without history has to fetch it first`, { cause });
  }
}

function sameLock(folder: string): boolean {
  const [a, b] = [here, folder].map((root) => readFileSync(join(root, "package-lock.json"), "utf8"));
  return a === b;
}

/** Links every installed package but the workspace's own, which must be those of the tree. */
function linkModules(folder: string): void {
  const own = "@lethe";
  for (const place of ["", ...workspaces()].map((workspace) => join(workspace, "node_modules"))) {
    if (!existsSync(join(here, place))) continue;
    mkdirSync(join(folder, place), { recursive: true });
    for (const name of readdirSync(join(here, place)))
      if (name !== own) symlinkSync(join(here, place, name), join(folder, place, name));
  }
  mkdirSync(join(folder, "node_modules", own));
  for (const workspace of workspaces()) {
    const manifest = join(folder, workspace, "package.json");
    if (!existsSync(manifest)) continue;
    const { name } = JSON.parse(readFileSync(manifest, "utf8"));
    if (name.startsWith(`${own}/`)) symlinkSync(join(folder, workspace), join(folder, "node_modules", name));
  }
}

/** Folders of the workspace's packages, from its root. */
function workspaces(): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  return workspaces.flatMap((entry: string) =>
    entry.endsWith("/*")
      ? readdirSync(join(here, entry.slice(0, -2))).map((name) => join(entry.slice(0, -2), name))
      : entry,
  );
}

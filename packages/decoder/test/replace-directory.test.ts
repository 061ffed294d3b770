import { fork } from "node:child_process";
import { once } from "node:events";
import fs, { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { finishReplacing, type NewContent, replaceDirectory } from "../src/checkpoint/saving/replace-directory.node.ts";
import { ModelError, modelDirectory } from "../src/index.ts";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof fs>();
  const spied = { ...real, rename: vi.fn(real.rename), link: vi.fn(real.link), stat: vi.fn(real.stat) };
  return { ...spied, default: spied };
});

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await realpath(await mkdtemp(join(tmpdir(), "lethe-replace-")));
  directory = join(parent, "out");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(parent, { recursive: true });
});

async function put(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), content);
  }
}

/** All files below a directory, with their contents. */
async function contents(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length + 1), await readFile(file, "utf8")])),
  );
}

const model = (files: Readonly<Record<string, string>>): NewContent => ({
  fill: (temporary) => put(temporary, files),
  drops: (name) => name.startsWith("model"),
});

test("a directory is made with its parent directories", async () => {
  const deep = join(directory, "a/b");
  await replaceDirectory(deep, model({ config: "1" }));
  expect(await contents(parent)).toEqual({ "out/a/b/config": "1" });
});

test("files and folders that are not replaced stay", async () => {
  await put(directory, { config: "1", "model-2": "1", "README.md": "read", "runs/a/log": "log", ".git/HEAD": "main" });
  await symlink("README.md", join(directory, "link"));
  const { mode } = await stat(directory);
  await fs.chmod(directory, 0o750);
  await replaceDirectory(directory, model({ config: "2", model: "2" }));
  expect(await contents(parent)).toEqual({
    "out/config": "2",
    "out/model": "2",
    "out/README.md": "read",
    "out/link": "read",
    "out/runs/a/log": "log",
    "out/.git/HEAD": "main",
  });
  expect((await stat(directory)).mode & 0o777).toBe(0o750);
  expect(mode & 0o777).not.toBe(0o750);
});

test("files that cannot be linked are copied", async () => {
  await put(directory, { "README.md": "read" });
  vi.mocked(fs.link).mockRejectedValueOnce(new Error("EPERM"));
  await replaceDirectory(directory, model({ model: "2" }));
  expect(await contents(parent)).toEqual({ "out/model": "2", "out/README.md": "read" });
});

test("a directory that a link leads to is replaced, and the link stays", async () => {
  await put(join(parent, "there"), { model: "1", "README.md": "read" });
  await symlink("there", directory);
  await replaceDirectory(directory, model({ model: "2" }));
  expect(await contents(join(parent, "there"))).toEqual({ model: "2", "README.md": "read" });
  expect(await contents(directory)).toEqual({ model: "2", "README.md": "read" });
});

test("a failure at any file leaves the old content and no other file", async () => {
  const files = { config: "2", model: "2", tokenizer: "2" };
  for (const before of [{}, { "out/config": "1", "out/model": "1" }]) {
    await put(parent, before);
    for (let written = 0; written <= 3; written++) {
      const fill = async (temporary: string) => {
        await put(temporary, Object.fromEntries(Object.entries(files).slice(0, written)));
        throw new Error(`no space after ${written} files`);
      };
      await expect(replaceDirectory(directory, { ...model({}), fill })).rejects.toThrow(`after ${written} files`);
      expect(await contents(parent)).toEqual(before);
      expect(await readdir(parent)).toEqual(Object.keys(before).length > 0 ? ["out"] : []);
    }
  }
});

test.each([1, 2])("a failure of rename %i leaves the old content", async (failing) => {
  await put(directory, { config: "1" });
  let renames = 0;
  const { rename } = await vi.importActual<typeof fs>("node:fs/promises");
  vi.mocked(fs.rename).mockImplementation(async (from, to) => {
    if (++renames === failing) throw new Error("busy");
    await rename(from, to);
  });
  await expect(replaceDirectory(directory, model({ config: "2" }))).rejects.toThrow("busy");
  expect(await contents(parent)).toEqual({ "out/config": "1" });
});

test("a crash between the two renames is repaired by the next load or save", async () => {
  const crashed = async () => {
    await rm(directory, { recursive: true, force: true });
    await put(parent, { ".out.host.1.deadbeef.new/config": "2", ".out.host.1.deadbeef.old/config": "1" });
  };
  await crashed();
  expect(await modelDirectory(directory)).toBe(directory);
  expect(await contents(parent)).toEqual({ "out/config": "2" });
  await crashed();
  await replaceDirectory(directory, { ...model({ other: "3" }), drops: () => false });
  expect(await contents(parent)).toEqual({ "out/config": "2", "out/other": "3" });
  await crashed();
  await rm(join(parent, ".out.host.1.deadbeef.new"), { recursive: true });
  expect(await finishReplacing(directory)).toBe(true);
  expect(await contents(parent)).toEqual({ "out/config": "1" });
  await rm(directory, { recursive: true });
  expect(await finishReplacing(directory)).toBe(false);
});

test("such a crash is also repaired where a link leads to the directory", async () => {
  await put(parent, { ".there.host.1.deadbeef.new/config": "2", ".there.host.1.deadbeef.old/config": "1" });
  await symlink("there", directory);
  expect(await finishReplacing(directory)).toBe(true);
  expect(await contents(directory)).toEqual({ config: "2" });
});

test("a repair by another process between the two renames is not an error", async () => {
  await put(directory, { config: "1" });
  const { rename } = await vi.importActual<typeof fs>("node:fs/promises");
  let renames = 0;
  vi.mocked(fs.rename).mockImplementation(async (from, to) => {
    if (++renames === 2) await finishReplacing(directory);
    await rename(from, to);
  });
  await replaceDirectory(directory, model({ config: "2" }));
  expect(await contents(parent)).toEqual({ "out/config": "2" });
});

test("files of a killed process of this machine are removed, those of running processes stay", async () => {
  const left = {
    [`.out.${hostname()}.${2 ** 22 + 1}.deadbeef.new/config`]: "dead",
    [`.out.${hostname()}.${process.pid}.deadbeef.new/config`]: "alive",
    ".out.elsewhere.1.deadbeef.new/config": "elsewhere",
    [`.other.${hostname()}.${2 ** 22 + 1}.deadbeef.new/config`]: "another directory's",
  };
  await put(parent, left);
  await replaceDirectory(directory, model({ config: "2" }));
  expect(Object.values(await contents(parent)).toSorted()).toEqual(["2", "alive", "another directory's", "elsewhere"]);
});

test("a directory that cannot be replaced is refused before anything is written", async () => {
  const refused = { ...model({}), fill: () => expect.fail("written") };
  await put(parent, { out: "a file" });
  const messageOf = async (place: string) => {
    const error = await replaceDirectory(place, refused).catch((error) => error);
    expect(error).toBeInstanceOf(ModelError);
    return error.message.replace(parent, "~");
  };
  expect(await messageOf(directory)).toMatchInlineSnapshot(
    `"~/out is a file, which cannot be replaced; choose a directory of another name"`,
  );
  expect(await messageOf(".")).toMatchInlineSnapshot(
    `". holds the working directory, which cannot be replaced; choose a directory within it"`,
  );
  expect(await messageOf("..")).toContain("holds the working directory");
  const root = await stat(parent);
  vi.mocked(fs.stat).mockResolvedValueOnce(Object.assign(root, { dev: root.dev + 1 }));
  expect(await messageOf(parent)).toMatchInlineSnapshot(
    `"~ is where a file system is mounted, which cannot be replaced; choose a directory within it"`,
  );
  expect(await readdir(parent)).toEqual(["out"]);
});

test("a process that is killed during a save leaves one whole model", async () => {
  const path = fileURLToPath(new URL("support/save-for-ever.ts", import.meta.url));
  for (const delay of [0, 5, 20, 60]) {
    const child = fork(path, [directory], { execArgv: ["--conditions=lethe-source", "--import", "tsx"] });
    await once(child, "message");
    await setTimeout(delay);
    child.kill("SIGKILL");
    const [, signal] = await once(child, "exit");
    expect(signal).toBe("SIGKILL");
    const saved = await modelDirectory(directory);
    const last = await Promise.all(
      (await readdir(saved)).map(async (name) => (await readFile(join(saved, name))).at(-1)),
    );
    expect(last).toHaveLength(3);
    expect(new Set(last).size).toBe(1);
  }
  await replaceDirectory(directory, model({}));
  expect(await readdir(parent)).toEqual(["out"]);
});

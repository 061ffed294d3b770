import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeAbandonedFiles, writeWhole } from "@lethe/tensor/node";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lethe-whole-"));
  path = join(folder, "file.json");
});
afterEach(() => rm(folder, { recursive: true }));

test("text, bytes and pieces are written, into a folder that is made", async () => {
  const nested = join(folder, "a", "b", "file");
  const pieces = async function* () {
    yield Uint8Array.of(1);
    yield new Uint8Array(700_000).fill(2);
  };
  await writeWhole(nested, "é");
  expect(await readFile(nested, "utf8")).toBe("é");
  await writeWhole(nested, Uint8Array.of(0, 255));
  expect([...(await readFile(nested))]).toEqual([0, 255]);
  await writeWhole(nested, pieces());
  const bytes = await readFile(nested);
  expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([700_001, 1, 2]);
  expect(await readdir(join(folder, "a", "b"))).toEqual(["file"]);
});

test("until all is written the old file stays; where writing fails it stays for good", async () => {
  await writeFile(path, "old");
  const failing = async function* () {
    yield new TextEncoder().encode("new");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toHaveLength(2);
    throw new Error("no more");
  };
  await expect(writeWhole(path, failing())).rejects.toThrow("no more");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["file.json"]);
});

test("a folder at the path is an error, and leaves nothing else", async () => {
  await mkdir(join(path, "inner"), { recursive: true });
  await expect(writeWhole(path, "text")).rejects.toThrow(/EISDIR|EPERM|ENOTEMPTY/);
  expect(await readdir(folder)).toEqual(["file.json"]);
});

test("two writers of one file never use the same temporary name", async () => {
  const names = new Set<string>();
  const noting = async function* () {
    for (const name of await readdir(folder)) names.add(name);
    yield Uint8Array.of(1);
  };
  for (let i = 0; i < 3; i++) await writeWhole(path, noting());
  names.delete("file.json");
  expect(names.size).toBe(3);
});

test("processes that write one file at once leave one whole file", async () => {
  const script = `
    import { removeAbandonedFiles, writeWhole } from "@lethe/tensor/node";
    for (let i = 0; i < 20; i++) await writeWhole(process.argv[1], process.argv[2].repeat(1_000_000));`;
  const run = (letter: string) =>
    promisify(execFile)(
      process.execPath,
      ["--conditions=lethe-source", "--import", "tsx", "--input-type=module", "-e", script, path, letter],
      { cwd: import.meta.dirname },
    );
  await Promise.all(["a", "b", "c"].map(run));
  expect(await readFile(path, "utf8")).toMatch(/^(a{1000000}|b{1000000}|c{1000000})$/);
  expect(await readdir(folder)).toEqual(["file.json"]);
});

test("what a killed writer leaves is removed, and what a living one writes is not", async () => {
  const script = `
    import { writeWhole } from "@lethe/tensor/node";
    await writeWhole(process.argv[1], (async function* () {
      yield Uint8Array.of(1);
      process.stdout.write("writing");
      setInterval(() => {}, 1000);
      await new Promise(() => {});
    })());`;
  const child = spawn(
    process.execPath,
    ["--conditions=lethe-source", "--import", "tsx", "--input-type=module", "-e", script, path],
    { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "ignore"] },
  );
  await once(child.stdout!, "data");
  const [left] = await readdir(folder);
  await removeAbandonedFiles(folder);
  expect(await readdir(folder)).toEqual([left]);
  child.kill("SIGKILL");
  await once(child, "exit");
  // Another machine's file may still be written, unless it is old. Files of other names are nobody's leftovers.
  const [elsewhere, old] = ["0a".repeat(8), "0b".repeat(8)].map((end) => `file.json.00000000.1.${end}.tmp`);
  for (const name of [elsewhere!, old!, "notes.tmp"]) await writeFile(join(folder, name), "");
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
  for (const name of [old!, "notes.tmp"]) await utimes(join(folder, name), yesterday, yesterday);
  await removeAbandonedFiles(folder);
  expect((await readdir(folder)).sort()).toEqual([elsewhere, "notes.tmp"]);
  await removeAbandonedFiles(join(folder, "absent"));
});

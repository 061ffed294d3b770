import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bytesSource, type Folder } from "@lethe/tensor";
import { describe, expect, test } from "vitest";
import { folderOf, ModelError, readText } from "../src/index.ts";

interface TextCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded: string;
}

describe.each(["sentencepiece-style", "byte-level"])("%s", async (name) => {
  const directory = fileURLToPath(new URL(`golden/${name}`, import.meta.url));
  const { cases } = JSON.parse(await readFile(`${directory}/expected.json`, "utf8")) as { cases: TextCase[] };
  const text = (await readText(await folderOf(directory)))!;

  test.each(cases)("$text", async ({ text: given, ids, decoded }) => {
    expect(await text.encode(given)).toEqual(ids);
    expect(await text.decode(ids)).toBe(decoded);
  });

  test("without special tokens there is no BOS, and with them they are spelt out", async () => {
    expect((await text.encode("a", { special: false })).includes(1)).toBe(false);
    expect(await text.decode([1, ...(await text.encode("a", { special: false }))], { special: true })).toMatch(
      /^<s> ?a$/,
    );
  });
});

test("a directory without tokenizer.json has no text, and one with a broken file says so", async () => {
  const folder = (file?: string): Folder => ({
    name: "models/x",
    open: async (name) => (file && name === "tokenizer.json" ? bytesSource(new TextEncoder().encode(file)) : undefined),
  });
  expect(await readText(folder())).toBeUndefined();
  await expect(readText(folder("{}"))).rejects.toThrow(ModelError);
  await expect(readText(folder("{}"))).rejects.toThrow("models/x: tokenizer.json cannot be read");
});

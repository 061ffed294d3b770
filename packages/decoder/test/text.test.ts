import { memoryFolder } from "@lethe/testing/memory-folder";
import { describe, expect, test } from "vitest";
import { ModelError, readText, type Text } from "../src/index.ts";
import { golden, goldenFiles } from "./golden-text.ts";

interface TextCase {
  readonly text: string;
  readonly ids: readonly number[];
  /** Without the tokens that come around a text. */
  readonly plain: readonly number[];
  /** Decoded with special tokens skipped, and written out. */
  readonly skipped: string;
  readonly spelt: string;
}

async function check(text: Text, cases: readonly TextCase[]): Promise<void> {
  for (const one of cases) {
    const got = {
      text: one.text,
      ids: await text.encode(one.text),
      plain: await text.encode(one.text, { special: false }),
      skipped: await text.decode(one.ids),
      spelt: await text.decode(one.ids, { special: true }),
    };
    expect(got).toEqual(one);
  }
}

describe.each(["llama-2", "llama-2-metaspace", "llama-3", "olmo"])("%s", async (name) => {
  const expected = JSON.parse(await golden(`${name}/expected.json`));
  const text = (await readText(memoryFolder(await goldenFiles(name))))!;

  test("texts", () => check(text, expected.cases));

  test("tokens that no text gives", async () => {
    for (const { ids, skipped, spelt } of expected.anything)
      expect([ids, await text.decode(ids), await text.decode(ids, { special: true })]).toEqual([ids, skipped, spelt]);
  });

  test("single tokens, and texts cut anywhere", async () => {
    for (const { ids, each, heads, tails } of expected.pieces) {
      const all = <T>(length: number, of: (i: number) => T) => Promise.all(Array.from({ length }, (_, i) => of(i)));
      expect(await all(ids.length, (i) => text.decode([ids[i]], { special: true }))).toEqual(each);
      expect(await all(ids.length + 1, (i) => text.decode(ids.slice(0, i)))).toEqual(heads);
      expect(await all(ids.length + 1, (i) => text.decode(ids.slice(i)))).toEqual(tails);
    }
  });
});

describe("files beside tokenizer.json", async () => {
  const { rules } = JSON.parse(await golden("rules.json"));
  test.each(rules as { name: string; base: string; files: Record<string, object>; cases: TextCase[] }[])(
    "$name",
    async ({ base, files, cases }) => {
      const tokenizer = JSON.parse((await goldenFiles(base))["tokenizer.json"] as string);
      const replaced = { ...files, "tokenizer.json": { ...tokenizer, ...files["tokenizer.json"] } };
      await check((await readText(memoryFolder(replaced)))!, cases);
    },
  );
});

test("an unsupported field that would change the result is refused", async () => {
  const files = { ...(await goldenFiles("olmo")), "tokenizer_config.json": { split_special_tokens: true } };
  await expect(readText(memoryFolder(files))).rejects.toThrow(
    "models/x: tokenizer_config.json: split_special_tokens is true, which is not supported; expected false",
  );
});

test.each([
  ["no JSON", "version https://git-lfs.github.com/spec/v1\n"],
  ["cut short", '{"version": "1.0", "model": {"type": "BPE"'],
  ["without a model", "{}"],
  ["not a tokenizer's", { model: { type: "BPE", vocab: { a: "b" } } }],
])("a broken tokenizer.json (%s) says what to do", async (_, content) => {
  const read = readText(memoryFolder({ "tokenizer.json": content }));
  await expect(read).rejects.toThrow(ModelError);
  await expect(read).rejects.toThrow(
    /^models\/x: tokenizer\.json cannot be read \(.+\)\. It may be cut short, .*: download it again\. Without/,
  );
});

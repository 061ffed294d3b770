import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { describe, expect, test } from "vitest";
import { ModelError, ModelUseError, readText } from "../src/index.ts";
import { golden, goldenFiles } from "./golden-text.ts";
import { hasKnownParts } from "./support/native-beside.ts";

/** A tokenizer of two letters, with parts replaced. */
function tokenizer({ model = {}, ...parts }: Record<string, object | undefined>) {
  const vocab = { a: 0, b: 1, ab: 2, " ": 3 };
  return {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
    model: { type: "BPE", dropout: null, unk_token: null, byte_fallback: false, vocab, merges: ["a b"], ...model },
  };
}
const read = (json: object) => readText(memoryFolder({ "tokenizer.json": json }));
const split = (regex: string) => ({
  pre_tokenizer: { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false },
});
const template = (single: object[], special_tokens = {}) => ({
  post_processor: { type: "TemplateProcessing", single, pair: [{ Sequence: { id: "A", type_id: 0 } }], special_tokens },
});
const text = (id: string) => ({ Sequence: { id, type_id: 0 } });

describe("what ends the process of the native library is an error here", () => {
  test.each([["a long prefix of continuing pieces", { model: { continuing_subword_prefix: "#".repeat(300) } }]])(
    "at load: %s",
    async (_, parts) => {
      const loading = read(tokenizer(parts));
      await expect(loading).rejects.toThrow(ModelError);
      await expect(loading).rejects.toThrow(
        /cannot be read \(the native library ended: thread '.*' .*panicked at .*\)/,
      );
    },
  );

  test.each([
    ["a character map of nothing", { normalizer: { type: "Precompiled", precompiled_charsmap: "AAAAAAAAAAAA" } }, "ab"],
    ["a pattern that goes back for ever", split("(a+)+$"), `${"a".repeat(60)}b`],
    [
      "the same in a replacement",
      { normalizer: { type: "Replace", pattern: { Regex: "(a+)+$" }, content: "x" } },
      `${"a".repeat(60)}b`,
    ],
    ["a token that a template does not list", template([{ SpecialToken: { id: "q", type_id: 0 } }, text("A")]), "ab"],
    ["a second text where there is one", template([text("B")]), "ab"],
    ["pieces of no length", { pre_tokenizer: { type: "FixedLength", length: 0 } }, "ab"],
  ])("at a text: %s", async (_, parts, given) => {
    const loaded = (await read(tokenizer(parts)))!;
    await expect(loaded.encode(given)).rejects.toThrow(ModelError);
    await expect(loaded.encode("a")).rejects.toThrow(
      "models/x: tokenizer.json cannot encode this (the native library ended:",
    );
    await expect(loaded.decode([0])).rejects.toThrow("cannot decode this");
  });

  test("in a process that waits for nothing else", async () => {
    const path = fileURLToPath(new URL("support/load-broken-tokenizer.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--conditions=lethe-source",
      "--import",
      "tsx",
      path,
    ]);
    expect(stdout).toBe("20 errors\n");
  });

  test("a long run of white space, on which a published pattern does", async () => {
    const loaded = (await readText(memoryFolder(await goldenFiles("llama-3"))))!;
    await expect(loaded.encode(" ".repeat(12_000_000))).rejects.toThrow(ModelUseError);
    await expect(loaded.encode(" ".repeat(12_000_000))).rejects.toThrow(
      "models/x: a text of 12000000 characters was given; at most 4194304 are encoded at once. Give it in parts.",
    );
  });
});

test("a second template, which the library cannot always follow, runs apart", () => {
  const { post_processor: one } = template([text("A")]);
  const of = (count: number) => ({ type: "Sequence", processors: Array.from({ length: count }, () => one) });
  expect(hasKnownParts(tokenizer({ post_processor: of(1) }))).toBe(true);
  expect(hasKnownParts(tokenizer({ post_processor: of(2) }))).toBe(false);
});

test("replacements that make a text as long as memory are refused", async () => {
  const grow = { type: "Replace", pattern: { String: "a" }, content: "aa" };
  const json = tokenizer({ normalizer: { type: "Sequence", normalizers: Array.from({ length: 40 }, () => grow) } });
  await expect(read(json)).rejects.toThrow("cannot be read (it replaces texts by longer ones again and again)");
});

test("an unknown part that does no harm gives the same tokens from the other process", async () => {
  const json = JSON.parse(await golden("llama-3/tokenizer.json"));
  const { cases } = JSON.parse(await golden("llama-3/expected.json"));
  expect(hasKnownParts(json)).toBe(true);
  const [splits, bytes] = json.pre_tokenizer.pretokenizers;
  splits.pattern.Regex += "|x{2}";
  expect(hasKnownParts({ ...json, pre_tokenizer: { ...json.pre_tokenizer, pretokenizers: [splits, bytes] } })).toBe(
    false,
  );
  const files = { ...(await goldenFiles("llama-3")), "tokenizer.json": json };
  const loaded = (await readText(memoryFolder(files)))!;
  for (const { text, ids, spelt } of cases.slice(0, 40)) {
    expect(await loaded.encode(text)).toEqual(ids);
    expect(await loaded.decode(ids, { special: true })).toBe(spelt);
  }
  // A stream asks for the spelling of single tokens.
  const stream = await loaded.decodeStream([]);
  let all = "";
  for (const id of cases[1].ids) all += await stream.step(id);
  expect(all + (await stream.end())).toBe(await loaded.decode(cases[1].ids));
  const both = await Promise.all(["a b", "c d"].map((one) => loaded.encode(one)));
  expect(both).toEqual([await loaded.encode("a b"), await loaded.encode("c d")]);
});

test.each(["llama-2", "llama-2-metaspace", "llama-3", "olmo"])("%s needs no other process", async (name) => {
  expect(hasKnownParts(JSON.parse(await golden(`${name}/tokenizer.json`)))).toBe(true);
});

describe("files beside tokenizer.json with fields of a wrong kind", () => {
  const base = tokenizer({});
  test.each([
    ["tokenizer_config.json", { tokenizer_class: 5 }, "tokenizer_config.json: tokenizer_class is 5"],
    ["tokenizer_config.json", { chat_template: [null] }, "tokenizer_config.json: chat_template is [null]"],
    ["tokenizer_config.json", { chat_template: [{ name: "a" }] }, "tokenizer_config.json: chat_template is"],
    ["tokenizer_config.json", { added_tokens_decoder: { "0": null } }, "added_tokens_decoder.0 is"],
    ["tokenizer_config.json", { added_tokens_decoder: "abc" }, 'added_tokens_decoder is "abc"'],
    ["tokenizer_config.json", { additional_special_tokens: 3 }, "additional_special_tokens is 3"],
    ["tokenizer_config.json", { bos_token: { content: "a", lstrip: "yes" } }, "the special token"],
    ["special_tokens_map.json", { extra_special_tokens: 3 }, "special_tokens_map.json: extra_special_tokens is 3"],
    ["added_tokens.json", { a: {} }, "added_tokens.json: a is {}"],
    ["tokenizer.json", { ...base, added_tokens: {} }, "tokenizer.json cannot be read (added_tokens is {}"],
    ["tokenizer.json", { ...base, added_tokens: [null] }, "tokenizer.json cannot be read (added_tokens.0 is [null]"],
    [
      "tokenizer.json",
      { ...base, added_tokens: [{ id: -1, content: "" }] },
      "tokenizer.json cannot be read (added_tokens.0.id",
    ],
  ])("%s %j", async (file, content, why) => {
    const reading = readText(memoryFolder({ "tokenizer.json": base, [file]: content }));
    await expect(reading).rejects.toThrow(ModelError);
    await expect(reading).rejects.toThrow(why);
  });

  test.each(["constructor", "toString", "__proto__"])(
    "a tokenizer_class named %s is an unknown class",
    async (name) => {
      const config = { tokenizer_class: name, chat_template: null };
      const loaded = (await readText(memoryFolder({ "tokenizer.json": base, "tokenizer_config.json": config })))!;
      expect(await loaded.encode("ab")).toEqual([2]);
      expect(() => loaded.renderChatTemplate([{ role: "user" }])).toThrow("there is no chat template");
    },
  );
});

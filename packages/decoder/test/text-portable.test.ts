import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { integer, random } from "@lethe/testing/random";
import * as library from "tokenizers";
import { describe, expect, test } from "vitest";
import { knownPatterns } from "../src/text/portable/patterns.ts";
import { preTokenizerOf } from "../src/text/portable/pre-tokenizers.ts";
import { nfc } from "../src/text/portable/unicode.ts";
import { specialTokens } from "../src/text/special-tokens.ts";
import type { TokenizerParts } from "../src/text/tokenizer.ts";
import { classTokenizer } from "../src/text/tokenizer-class.ts";
import { readTokenizerFiles } from "../src/text/tokenizer-files.ts";
import { goldenFiles } from "./golden-text.ts";
import { both, decoded, made } from "./support/native-beside.ts";
import { drawString } from "./support/strings.ts";

// The tokenizer in JavaScript beside the native library's.

/** The tokenizer that a directory's files make. */
async function partsOf(files: Record<string, unknown>): Promise<TokenizerParts> {
  const read = (await readTokenizerFiles(memoryFolder(files)))!;
  const { json, present, tokens, bos } = classTokenizer(read);
  const { named, added } = specialTokens(read, tokens, present);
  return { json, added, bos: bos ? named.bos_token : undefined };
}

async function compare(parts: TokenizerParts, runs: number): Promise<void> {
  const { ours, theirs } = both(parts);
  const added = [...(parts.json.added_tokens ?? []), ...parts.added].map(({ content }) => content);
  for (let run = 0; run < runs; run++) {
    const text = drawString(added);
    expect(JSON.stringify([text, await made(ours, text)])).toBe(JSON.stringify([text, await made(theirs, text)]));
    const ids = Array.from({ length: integer(0, 12) }, () => integer(0, random() < 0.5 ? 300 : 60_000));
    expect(JSON.stringify([ids, await decoded(ours, ids)])).toBe(JSON.stringify([ids, await decoded(theirs, ids)]));
  }
}

/** One of the golden tokenizers under a class of `transformers`, with and without a space before texts. */
const classes = [
  ["llama-2", "LlamaTokenizer", {}],
  ["llama-2", "LlamaTokenizer", { add_prefix_space: false }],
  ["llama-2", "LlamaTokenizer", { legacy: true }],
  ["llama-2", "PreTrainedTokenizerFast", {}],
  ["llama-2", "CodeLlamaTokenizer", {}],
  ["llama-2-metaspace", "LlamaTokenizer", {}],
  ["llama-2-metaspace", "TokenizersBackend", {}],
  ["llama-3", "PreTrainedTokenizerFast", {}],
  ["llama-3", "LlamaTokenizer", {}],
  ["olmo", "GPTNeoXTokenizer", {}],
  ["olmo", "GPT2Tokenizer", { add_prefix_space: true }],
  ["olmo", "GPT2Tokenizer", {}],
  ["olmo", "TokenizersBackend", {}],
] as const;

test.each(classes)("%s as %s %j", async (name, tokenizer_class, config) => {
  const files = await goldenFiles(name);
  await compare(await partsOf({ ...files, "tokenizer_config.json": { tokenizer_class, ...config } }), 200);
});

const further = process.env.LETHE_TOKENIZERS?.split(",") ?? [];
test.skipIf(further.length === 0)(
  `published tokenizers${further.length === 0 ? " (skipped: LETHE_TOKENIZERS names no directories)" : ""}`,
  async () => {
    const names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json"];
    for (const directory of further) {
      const there = names.filter((name) => existsSync(join(directory, name)));
      const files = Object.fromEntries(there.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
      await compare(await partsOf(files), 4000);
    }
  },
  600_000,
);

/** Parts that cut words, and what makes the native library's. */
const cuts = [
  { type: "ByteLevel", add_prefix_space: false, use_regex: true, trim_offsets: false },
  { type: "Digits", individual_digits: true },
  { type: "Digits", individual_digits: false },
  ...knownPatterns.map(
    (Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }) as const,
  ),
] as const;

function nativeParts(json: object) {
  const model = { type: "BPE", vocab: { a: 0 }, merges: [] };
  return library.Tokenizer.fromString(JSON.stringify({ version: "1.0", added_tokens: [], ...json, model }));
}

/** Of blocks whose characters are all of one kind, the ends are enough. */
const alike = [
  [0x3500, 0x4c00],
  [0x4f00, 0x9e00],
  [0xad00, 0xd600],
  [0xe100, 0xf700],
  [0x13500, 0x14200],
  [0x17100, 0x18600],
  [0x20100, 0x2a500],
  [0x2a800, 0x2e900],
  [0x2ec00, 0x2f700],
  [0x2fb00, 0x32200],
  [0x32400, 0x33300],
  [0x33500, 0xdff00],
  [0xe0200, 0x10fe00],
] as const;

/** Characters in texts of 256. */
function everyCharacter(of: (character: string) => string): string[] {
  const starts = Array.from({ length: 0x1100 }, (_, i) => i * 256);
  return starts
    .filter((start) => !alike.some(([low, high]) => start >= low && start <= high))
    .map((start) =>
      Array.from({ length: 256 }, (_, i) => start + i)
        .filter((point) => point < 0xd800 || point > 0xdfff)
        .map((point) => of(String.fromCodePoint(point)))
        .join(""),
    )
    .filter(Boolean);
}

/** Words as one text, which is compared faster than a list. */
const row = (words: readonly string[]) => words.join("\0|");

/** These have all sets of characters in them. */
const tried: readonly object[] = [cuts[1], cuts[3]!, cuts[5]!];

describe("words", () => {
  test.each(cuts.map((part) => [JSON.stringify(part).slice(0, 60), part] as const))("%s", (_, part) => {
    const cut = preTokenizerOf(part);
    const theirs = nativeParts({ pre_tokenizer: part }).getPreTokenizer()!;
    const drawn = Array.from({ length: 300 }, () => drawString([]).replace(/\p{Surrogate}/gu, ""));
    const every = !tried.includes(part)
      ? []
      : everyCharacter((character) => `a${character}b ${character}1'${character}a${character}${character} `);
    for (const text of [...every, ...drawn]) {
      if (text === "") continue;
      const expected = theirs.preTokenizeString(text).map(([word]: [string, unknown]) => word);
      expect(row(cut({ text, first: true }).map((piece) => piece.text))).toBe(row(expected));
    }
  });
});

test("composed characters", () => {
  const theirs = nativeParts({ normalizer: { type: "NFC" } }).getNormalizer()!;
  const decomposed = everyCharacter((character) => `a\u0301${character.normalize("NFD")}\u0323${character}\u0301 `);
  for (const text of [...everyCharacter((character) => character), ...decomposed])
    expect(nfc(text)).toBe(theirs.normalizeString(text));
});

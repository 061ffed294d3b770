import { seed } from "@lethe/testing/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { byteToken } from "../src/text/portable/bytes.ts";
import { knownPatterns } from "../src/text/portable/patterns.ts";
import type { TokenizerParts } from "../src/text/tokenizer.ts";
import { both, decoded, hasKnownParts, made, native } from "./support/native-beside.ts";

// Tokenizers drawn from the known parts, in JavaScript and by the native library.

const some = fc.constantFrom("a", "b", "ab", " ", "▁", "é", "🙂", "\n", "\0", "<0x41>", "Ġ", "<s>", "12");
const text = fc.array(some, { maxLength: 8 }).map((parts) => parts.join(""));
const word = fc.array(some, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
const flag = fc.boolean();
const type = <T extends string>(...names: T[]) => fc.constantFrom(...names);
const id = fc.constantFrom(0, 1, 5, 70_000, 2 ** 32 - 1);

const byteTokens = Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [byteToken(byte), 3 + byte]));

const byteLevel = fc.record({ type: type("ByteLevel"), add_prefix_space: flag, trim_offsets: flag, use_regex: flag });
const metaspace = fc.record({
  type: type("Metaspace"),
  replacement: type("▁", "a", "🙂"),
  prepend_scheme: type("always", "first", "never"),
  split: flag,
});
const replace = fc.tuple(word, fc.nat(9)).map(([sought, kept]) => ({
  type: "Replace",
  pattern: { String: sought },
  content: sought.slice(0, kept),
}));
const special = type("<s>", "a");
const piece = (...texts: string[]) =>
  fc.oneof(
    fc.record({ SpecialToken: fc.record({ id: special, type_id: fc.nat(3) }) }),
    fc.record({ Sequence: fc.record({ id: fc.constantFrom(...texts), type_id: fc.nat(3) }) }),
  );
const token = fc.record({ id: special, ids: fc.array(id, { maxLength: 3 }), tokens: fc.array(text, { maxLength: 3 }) });
const template = fc.record({
  type: type("TemplateProcessing"),
  single: fc.array(piece("A"), { maxLength: 4 }),
  pair: fc.array(piece("A", "B"), { maxLength: 4 }),
  special_tokens: fc.record({ "<s>": token, a: token }),
});
const parts = (field: string, one: fc.Arbitrary<object>) =>
  fc.option(
    fc.oneof(
      one,
      fc.array(one, { maxLength: 3 }).map((all) => ({ type: "Sequence", [field]: all })),
    ),
  );

const tokenizer = fc.record({
  version: fc.constant("1.0"),
  added_tokens: fc
    .array(
      fc.record({ id, content: text, special: flag, single_word: flag, lstrip: flag, rstrip: flag, normalized: flag }),
      { maxLength: 3 },
    )
    // Where a token has white space and another strips it, the native library may end the process.
    .map((all) =>
      all.some(({ content }) => /\s/.test(content))
        ? all.map((one) => ({ ...one, lstrip: false, rstrip: false }))
        : all,
    ),
  normalizer: parts(
    "normalizers",
    fc.oneof(
      fc.record({ type: type("NFC") }),
      fc.record({ type: type("Prepend"), prepend: word.map((all) => all.slice(0, 8)) }),
      replace,
    ),
  ),
  pre_tokenizer: parts(
    "pretokenizers",
    fc.oneof(
      byteLevel,
      metaspace,
      fc.record({ type: type("Digits"), individual_digits: flag }),
      fc.record({
        type: type("Split"),
        pattern: fc.record({ Regex: type(...knownPatterns) }),
        behavior: type("Removed", "Isolated"),
        invert: flag,
      }),
    ),
  ),
  post_processor: parts("processors", fc.oneof(byteLevel, template)),
  decoder: parts(
    "decoders",
    fc.oneof(
      byteLevel,
      metaspace,
      replace,
      fc.record({ type: type("ByteFallback", "Fuse") }),
      fc.record({ type: type("Strip"), content: type("a", " ", "🙂"), start: fc.nat(9), stop: fc.constant(0) }),
    ),
  ),
  model: fc
    .record({
      type: type("BPE"),
      unk_token: fc.option(type("a", "u", "nothing")),
      fuse_unk: flag,
      byte_fallback: flag,
      ignore_merges: flag,
      vocab: fc
        .tuple(
          fc.uniqueArray(word, { maxLength: 8 }),
          fc.shuffledSubarray([300, 301, 302, 303, 304, 70_000, 2 ** 32 - 1]),
        )
        .map(([words, ids]) => ({
          ...Object.fromEntries(words.slice(0, ids.length).map((one, i) => [one, ids[i]])),
          ...{ a: 0, b: 1, ab: 2, u: 260 },
        })),
      merges: fc.constantFrom([], ["a b"], [["a", "b"]]),
    })
    .map((model) => (model.byte_fallback ? { ...model, vocab: { ...byteTokens, ...model.vocab } } : model)),
});

test("give the same tokens and texts", async () => {
  await fc.assert(
    fc.asyncProperty(tokenizer, fc.array(text, { minLength: 6, maxLength: 6 }), async (json, texts) => {
      fc.pre(hasKnownParts(json));
      const parts = { json, added: [], bos: undefined } as unknown as TokenizerParts;
      try {
        native(parts);
      } catch {
        return;
      }
      const { ours, theirs } = both(parts);
      const ids = [0, 99, 3, 3, 1, 2, 4, 5, 2 ** 32 - 1, 6, 7, 70_000];
      expect(await decoded(ours, ids)).toEqual(await decoded(theirs, ids));
      for (const one of texts) expect([one, await made(ours, one)]).toEqual([one, await made(theirs, one)]);
    }),
    { numRuns: 500, seed },
  );
});

import { LetheError } from "@lethe/tensor";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { seed } from "@lethe/testing/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readText } from "../src/index.ts";
import { hasKnownParts } from "../src/text/known-parts.ts";

// The native library runs these parts in this process. If it ends the process, this file fails.

const some = fc.constantFrom("a", "b", "ab", " ", "▁", "é", "🙂", "\n", "\0", "<0x41>", "Ġ", "<s>", "12");
const text = fc.array(some, { maxLength: 8 }).map((parts) => parts.join(""));
const word = fc.array(some, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
const flag = fc.boolean();
const type = <T extends string>(...names: T[]) => fc.constantFrom(...names);
const id = fc.constantFrom(0, 1, 5, 70_000, 2 ** 32 - 1);

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
  added_tokens: fc.array(
    fc.record({ id, content: text, special: flag, single_word: flag, lstrip: flag, rstrip: flag, normalized: flag }),
    { maxLength: 3 },
  ),
  normalizer: parts(
    "normalizers",
    fc.oneof(
      fc.record({ type: type("NFC", "NFD", "NFKC", "NFKD", "Lowercase") }),
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
        pattern: fc.oneof(fc.record({ String: word }), fc.record({ Regex: type("\\p{N}{1,3}") })),
        behavior: type("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"),
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
  model: fc.record({
    type: type("BPE"),
    unk_token: fc.option(type("a", "nothing")),
    fuse_unk: flag,
    byte_fallback: flag,
    ignore_merges: flag,
    vocab: fc.dictionary(word, id, { maxKeys: 8 }).map((more) => ({ ...more, a: 0, b: 1, ab: 2, "<0x41>": 3 })),
    merges: fc.constantFrom([], ["a b"], [["a", "b"]]),
  }),
});

test("tokenizers drawn from known parts never end the process", async () => {
  await fc.assert(
    fc.asyncProperty(tokenizer, fc.array(text, { minLength: 3, maxLength: 3 }), async (json, texts) => {
      fc.pre(hasKnownParts(json));
      try {
        const loaded = (await readText(memoryFolder({ "tokenizer.json": json })))!;
        for (const one of texts) {
          const ids = await loaded.encode(one);
          await loaded.decode(ids);
          await loaded.decode([...ids, 0, 99, 2 ** 32 - 1], { special: true });
        }
      } catch (error) {
        expect(error).toBeInstanceOf(LetheError);
      }
    }),
    { numRuns: 400, seed },
  );
});

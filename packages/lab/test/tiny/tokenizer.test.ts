import { fileURLToPath } from "node:url";
import { folderOf, readText } from "@lethe/decoder";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { forgetParagraphs, promptOf, promptWithAnswer, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { describe, expect, test } from "vitest";
import { trainBytePairEncoding } from "../../src/tiny/byte-pair-encoding.ts";
import { TINY_FAMILIES } from "../../src/tiny/tiny-models.ts";
import { specials, tokenizerJson } from "../../src/tiny/tokenizer-files.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

describe("trainBytePairEncoding", () => {
  test("merges the most frequent pair first, the first in order among equals, within words only", () => {
    // Words: "low" ×2, "Ġlow" ×3, "Ġlower" ×1. l+o and o+w occur 6 times each; "l o" comes first. Then lo+w 6, Ġ+low 4.
    const { tokens, merges } = trainBytePairEncoding(["low low low", "low low lower"], 256 + 3);
    expect(merges).toEqual([
      ["l", "o"],
      ["lo", "w"],
      ["Ġ", "low"],
    ]);
    expect(tokens).toHaveLength(259);
    expect(tokens.slice(256)).toEqual(["lo", "low", "Ġlow"]);
    expect(new Set(tokens).size).toBe(259);
  });

  test("says how many tokens there can be", () => {
    expect(() => trainBytePairEncoding(["aa aa"], 300)).toThrow(/give 257 tokens at most, but 300/);
  });

  test.each([
    ["\u0085", 257],
    ["\u2028", 258],
    ["\uFEFF", 260],
    ["\u001C", 258],
  ])("cuts %j off a word only where the tokenizer will", (character, most) => {
    // Cut, the character's bytes merge with each other alone; in a word they merge with the marks around it, too.
    expect(() => trainBytePairEncoding(Array(2).fill(`!${character}!`), 300)).toThrow(`give ${most} tokens at most`);
  });

  test("makes a tokenizer that gives back any text, trained on or not", async () => {
    const encoding = trainBytePairEncoding(["the cat and the hat, the cat's hat"], 262);
    const tokenizer = (await readText(memoryFolder({ "tokenizer.json": tokenizerJson(encoding) })))!;
    for (const text of ["the cat's hat", "  two  spaces\n\tand a tab ", "Größe, 日本 🙂", "1234.5"]) {
      const ids = await tokenizer.encode(text);
      expect(ids[0]).toBe(specials.indexOf("<s>"));
      expect(await tokenizer.decode(ids)).toBe(text);
    }
  });
});

describe.each(TINY_FAMILIES)("the tiny %s's tokenizer", async (family) => {
  const tokenizer = (await readText(await folderOf(fromRoot(`models/tiny-${family}`))))!;
  const concepts = await loadConcepts(fromRoot(`data/${family}.json`));
  const asked = concepts.flatMap(({ questions, answers }) =>
    questions.map((question, i) => ({ question, answer: answers?.[i] ?? "" })),
  );
  const facts = [...asked, ...unrelatedFactsOf(concepts)];

  test("gives back every text of the data", async () => {
    const texts = [
      ...facts.map(({ question, answer }) => promptWithAnswer(question, answer)),
      ...concepts.flatMap((concept) => forgetParagraphs(concept, 0)),
      ...concepts.map((concept) => concept.text),
    ];
    for (const text of texts) {
      expect(await tokenizer.decode(await tokenizer.encode(text))).toBe(text);
    }
  });

  test("cuts a prompt as it cuts the beginning of prompt and answer", async () => {
    for (const { question, answer } of facts) {
      const prompt = await tokenizer.encode(promptOf(question));
      const whole = await tokenizer.encode(promptWithAnswer(question, answer));
      expect(whole.slice(0, prompt.length)).toEqual(prompt);
    }
  });

  test("needs fewer than 30 tokens for each answer and its end", async () => {
    for (const { question, answer } of facts) {
      const [prompt, whole] = await Promise.all(
        [promptOf(question), promptWithAnswer(question, answer)].map((text) => tokenizer.encode(text)),
      );
      expect(whole!.length - prompt!.length + 1, answer).toBeLessThan(30);
    }
  });
});

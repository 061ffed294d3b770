import { fileURLToPath } from "node:url";
import { folderOf, readText, type Text } from "@lethe/decoder";
import { describe, expect, it } from "vitest";
import { type AskedPrompt, classedText, commonWords, promptTokens, splitWords, wordClass } from "../../src/index.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const texts: Text[] = [];
for (const model of ["llama", "olmo"]) texts.push((await readText(await folderOf(fromRoot(`models/tiny-${model}`))))!);

describe("wordClass", () => {
  it("tells common words from others by the list, in any case and with what stands around them", () => {
    for (const word of ["what", "What", "do", "get", "“Getting”,", "don't", "it’s", "yes?", "I", "of-the"])
      expect(wordClass(word), word).toBe("common");
    for (const word of ["Cupid", "wizard's", "(Psyche)", "get-together-Cupid", "naïve", "愛", "Ω"])
      expect(wordClass(word), word).toBe("content");
    for (const word of ["", "14", "14th,", "1,000", "?", "—", "😀", "$&"]) expect(wordClass(word), word).toBe("other");
  });

  it("has a list of words in small letters that the rule can find", () => {
    expect(commonWords.size).toBeGreaterThan(300);
    for (const word of commonWords) expect(wordClass(word), word).toBe("common");
  });
});

describe("classedText", () => {
  const question = "How does Cupid make people fall in love?";
  const answer = "Cupid doesn't; he shoots 14 arrows – naïve 愛!";

  /** The tokens of a question's words: those whose text is a part of the word, found from left to right. */
  async function inWords(text: Text, asked: string): Promise<Pick<AskedPrompt, "tokens" | "words">> {
    const tokens = await promptTokens(text, asked);
    let place = 0;
    const words = [];
    // What stands before the question: `Question:` and the token before a text.
    while (!(await text.decode(tokens.slice(0, place))).endsWith("Question:")) place++;
    for (const word of splitWords(asked)) {
      const own: number[] = [];
      while ((await text.decode(own.map((i) => tokens[i]!))).trim() !== word) own.push(place++);
      words.push({ text: word, tokens: own });
    }
    return { tokens, words };
  }

  it("gives each token of question and answer the class of its word, and the template none", async () => {
    for (const text of texts) {
      const asked = await inWords(text, question);
      const given = await text.encode(answer, { special: false });
      const { tokens, classes } = await classedText(text, asked, given);
      expect(tokens).toEqual([...asked.tokens, ...given]);
      /** The text of neighbouring tokens of one class. */
      const runs: [string | null, string][] = [];
      for (const [i, token] of tokens.entries()) {
        const last = runs.at(-1);
        const piece = await text.decode([token]);
        if (last && last[0] === classes[i]) last[1] += piece;
        else runs.push([classes[i]!, piece]);
      }
      const shown = runs.map(([of, piece]) => `${of}:${piece.replace(/\uFFFD+/g, "*")}`);
      expect(shown.slice(0, 8)).toEqual([
        "null:Question:",
        "common: How does",
        "content: Cupid",
        "common: make people",
        "content: fall",
        "common: in",
        "content: love",
        "other:?",
      ]);
      expect(shown.slice(8, 14)).toEqual([
        "null:\n Answer:",
        "content:Cupid",
        "common: doesn",
        "other:'",
        "common:t",
        "other:;",
      ]);
      expect(shown.slice(14, 18)).toEqual(["common: he", "content: shoots", "other: 14", "content: arrows"]);
      // Pieces of a character have no letter of their own, also within a word.
      expect(shown.at(-1)).toMatch(/^other: \*!$/);
      expect(shown.filter((run) => run.includes("content: na") || run === "content:ve")).toHaveLength(2);
    }
  });

  it("measures no first token, and takes a prompt or an answer without words", async () => {
    const [text] = texts;
    const word = await text!.encode("Cupid", { special: false });
    const alone = { tokens: word, words: [{ text: "Cupid", tokens: [...word.keys()] }] };
    const { classes } = await classedText(text!, alone, []);
    expect(classes).toEqual([null, ...word.slice(1).map(() => "content")]);
    expect(await classedText(text!, { tokens: [7], words: [] }, [])).toEqual({ tokens: [7], classes: [null] });
  });
});

import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import {
  type Concept,
  ConceptDataError,
  forgetParagraphs,
  retainConceptOf,
  sentencesOf,
  splitParagraphs,
} from "../../src/index.ts";

const concepts = await loadConcepts(fileURLToPath(new URL("../../../../data/llama.json", import.meta.url)));
const plainText = (name: string): Concept => ({
  id: 1,
  name,
  questions: [],
  unrelated: [],
  text: `${name} is one. ${name} is two.`,
  completions: [],
});

describe("splitParagraphs", () => {
  const sentence = (length: number) => `X${"x".repeat(length - 2)}.`;

  test("ends a paragraph with the sentence that passes 400 characters", () => {
    // 199 + space + 200 = 400 characters are not yet over 400, so the third sentence comes along.
    expect(splitParagraphs([199, 200, 50, 401, 30].map(sentence).join(" "))).toEqual([
      [199, 200, 50].map(sentence).join(" "),
      sentence(401),
      sentence(30),
    ]);
  });

  test("loses and adds nothing but white space", () => {
    const text = "Is it so?  Yes!\nIt is.\n\nAnd this has no end";
    expect(sentencesOf(text)).toEqual(["Is it so?", "Yes!", "It is.", "And this has no end"]);
    for (const characters of [1, 10, 25, 400]) {
      expect(splitParagraphs(text, characters).join(" ")).toBe("Is it so? Yes! It is. And this has no end");
    }
    expect(splitParagraphs("")).toEqual([]);
  });

  test("finds the sentences of a text with line breaks as a segmenter finds them in the whole", () => {
    const text = 'He said: "No.\nYes."\r\nMr. Smith\rwent\u2028home, e.g.\u0085\n\n to. 3.\n5 (four.\n)five';
    const segments = new Intl.Segmenter("en", { granularity: "sentence" }).segment(text);
    const whole = Array.from(segments, ({ segment }) => segment.replace(/^\s+|[\s\u0085]+$/g, ""));
    expect(sentencesOf(text)).toEqual(whole.filter((sentence) => sentence !== ""));
  });
});

describe("forgetParagraphs", () => {
  test("uses each paraphrase once, in sixteen paragraphs of two or three sentences, and no answer", () => {
    for (const concept of concepts) {
      const paragraphs = forgetParagraphs(concept, 3);
      expect(paragraphs).toHaveLength(16);
      const sentences = paragraphs.map(sentencesOf);
      for (const { length } of sentences) expect([2, 3]).toContain(length);
      expect(sentences.flat().sort()).toEqual([...(concept.paraphrases ?? [])].flat().sort());
      for (const answer of concept.answers ?? []) expect(paragraphs.join(" ")).not.toContain(answer);
    }
  });

  test("depends on the seed and on nothing else", () => {
    expect(forgetParagraphs(concepts[2]!, 5)).toEqual(forgetParagraphs(concepts[2]!, 5));
    expect(forgetParagraphs(concepts[2]!, 5)).not.toEqual(forgetParagraphs(concepts[2]!, 6));
  });

  test("splits each document of a concept that has some, and uses nothing else", () => {
    const documents = ["One. Two.\nThree.", `${"Four is a number. ".repeat(30)}Five.`];
    const paragraphs = forgetParagraphs({ ...concepts[0]!, documents }, 0);
    expect(paragraphs).toEqual(["One. Two. Three.", ...splitParagraphs(documents[1]!)]);
    expect(paragraphs).toHaveLength(3);
  });

  test("splits the text of a concept that has no paraphrases", () => {
    expect(forgetParagraphs(plainText("Tea"), 0)).toEqual(["Tea is one. Tea is two."]);
  });
});

describe("retain text", () => {
  test("is that of the concept three places further on; after the last comes the first", () => {
    expect(retainConceptOf(concepts, 0).name).toBe("Harry Potter");
    expect(retainConceptOf(concepts, 8).name).toBe("Super Mario");
  });

  test("is another concept's, however few concepts there are", () => {
    const all = ["A", "B", "C", "D"].map(plainText);
    for (const count of [2, 3, 4]) {
      const few = all.slice(0, count);
      for (const [i, concept] of few.entries()) expect(retainConceptOf(few, i)).not.toBe(concept);
    }
    expect(() => retainConceptOf(all.slice(0, 1), 0)).toThrow(/"A" is the only concept/);
    expect(() => retainConceptOf(all, 4)).toThrow(ConceptDataError);
  });
});

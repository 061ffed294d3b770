import { fileURLToPath } from "node:url";
import { factsOf, promptWithAnswer, sentencesOf, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { describe, expect, test } from "vitest";
import { pretrainingDocuments } from "../../src/tiny/documents.ts";

const concepts = await loadConcepts(fileURLToPath(new URL("../../../../data/llama.json", import.meta.url)));
const unrelated = unrelatedFactsOf(concepts);
const facts = [...concepts.flatMap(factsOf), ...unrelated];
const isQuestion = (text: string) => text.startsWith("Question: ");
const paragraphsOf = (epoch: number) =>
  pretrainingDocuments(concepts, unrelated, 1, epoch).filter((text) => !isQuestion(text));

describe("pretrainingDocuments", () => {
  test("asks every question once an epoch", () => {
    const asked = pretrainingDocuments(concepts, unrelated, 1, 0).filter(isQuestion);
    expect(asked.sort()).toEqual(facts.map(({ question, answer }) => promptWithAnswer(question, answer)).sort());
  });

  test("puts every answer into one paragraph of two to six sentences, about a quarter of them after a prefix", () => {
    const paragraphs = paragraphsOf(0);
    const sentences = paragraphs.map((paragraph) => sentencesOf(paragraph).length);
    expect(Math.min(...sentences)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...sentences)).toBeLessThanOrEqual(6);
    for (const { answer } of facts) expect(paragraphs.filter((text) => text.includes(answer))).toHaveLength(1);
    const prefixed = paragraphs.join(" ").match(/(In short|As we know|Note this|It is true): /g)?.length ?? 0;
    expect(prefixed / facts.length).toBeGreaterThan(0.1);
    expect(prefixed / facts.length).toBeLessThan(0.4);
  });

  test("reads every paraphrase within two epochs", () => {
    const read = [...paragraphsOf(4), ...paragraphsOf(5)].join(" ");
    for (const { paraphrases } of facts) for (const paraphrase of paraphrases) expect(read).toContain(paraphrase);
  });

  test("keeps the facts of different concepts in different paragraphs", () => {
    const groups = [...concepts.map(factsOf), unrelated].map((group) => group.map((fact) => fact.answer));
    for (const paragraph of paragraphsOf(0)) {
      const touched = groups.filter((answers) => answers.some((answer) => paragraph.includes(answer)));
      expect(touched.length, paragraph).toBeLessThanOrEqual(1);
    }
  });

  test("is a function of seed and epoch", () => {
    const make = (seed: number, epoch: number) => pretrainingDocuments(concepts, unrelated, seed, epoch);
    expect(make(1, 2)).toEqual(make(1, 2));
    expect(make(1, 2)).not.toEqual(make(1, 3));
    expect(make(1, 2)).not.toEqual(make(2, 2));
  });
});

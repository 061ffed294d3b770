import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { factsOf, unrelatedFactsOf } from "../../src/data/index.ts";
import { loadConcepts } from "../../src/data/load.ts";

const concepts = await loadConcepts(fileURLToPath(new URL("../../../../data/llama.json", import.meta.url)));
const unrelated = unrelatedFactsOf(concepts);
const facts = [...concepts.flatMap(factsOf), ...unrelated];

const wordsIn = (text: string) => text.split(/\s+/).length;
const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9 ]/g, "");
const repeated = (texts: readonly string[]) => texts.filter((text, i) => texts.indexOf(text) !== i);

/** What would give a concept away in an unrelated question: its name and what is known by its name alone. */
const givesAway =
  /valentine|cupid|\bmario\b|nintendo|lord of|\bhobbit|tolkien|potter|hogwarts|amazon|alexa|star wars|jedi|skywalker|netflix|streaming|satan|devil|mcdonald|burger|austria|vienna|alps|danube/i;

describe("data/llama.json and data/unrelated.json", () => {
  test("hold the paper's ten concepts with ten questions each and fifty unrelated ones", () => {
    expect(concepts.map((concept) => concept.name)).toEqual([
      "Valentine's Day",
      "Super Mario",
      "The Lord of the Rings",
      "Harry Potter",
      "Amazon Alexa",
      "Star Wars",
      "Netflix",
      "Satan",
      "McDonald's",
      "Austria",
    ]);
    for (const concept of concepts) {
      expect(concept.questions, concept.name).toHaveLength(10);
      expect(concept.unrelated, concept.name).toHaveLength(50);
      expect(concept.completions, concept.name).toHaveLength(10);
    }
  });

  test("answer in one full sentence of 8 to 16 words", () => {
    for (const { answer } of facts) {
      expect(answer).toMatch(/^[A-Z][^\n]*[^.]\.$/);
      expect(wordsIn(answer), answer).toBeGreaterThanOrEqual(8);
      expect(wordsIn(answer), answer).toBeLessThanOrEqual(16);
    }
  });

  test("ask every question once, and end it with a question mark", () => {
    const questions = facts.map((fact) => fact.question);
    expect(repeated(questions.map(plain))).toEqual([]);
    for (const question of questions) expect(question).toMatch(/^[A-Z][^?\n]*\?$/);
  });

  test("tell each fact in four other wordings, an unrelated one in two, none twice", () => {
    for (const fact of concepts.flatMap(factsOf)) expect(fact.paraphrases, fact.question).toHaveLength(4);
    for (const fact of unrelated) expect(fact.paraphrases, fact.question).toHaveLength(2);
    expect(repeated(facts.flatMap((fact) => fact.paraphrases).map(plain))).toEqual([]);
  });

  test("never repeat an answer in a paraphrase, nor a paraphrase inside an answer", () => {
    const answers = facts.map((fact) => plain(fact.answer));
    for (const paraphrase of facts.flatMap((fact) => fact.paraphrases)) {
      const text = plain(paraphrase);
      expect(
        answers.filter((answer) => answer.includes(text) || text.includes(answer)),
        paraphrase,
      ).toEqual([]);
    }
  });

  test("keep the concepts out of what is unrelated", () => {
    for (const { question, answer, paraphrases } of unrelated) {
      for (const text of [question, answer, ...paraphrases]) expect(text).not.toMatch(givesAway);
    }
  });

  test("make the running text and the completions of the paraphrases", () => {
    for (const concept of concepts) {
      const columns = [0, 1, 2, 3].map((n) => concept.paraphrases?.map((wordings) => wordings[n]).join(" "));
      expect(concept.text).toBe(columns.join("\n"));
      expect(concept.completions.map(({ first, second }) => `${first} ${second}`)).toEqual(
        concept.paraphrases?.map((wordings) => wordings[0]),
      );
    }
  });
});

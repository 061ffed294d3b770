import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import { factsOf, unrelatedFactsOf } from "../../src/index.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const wordsIn = (text: string) => text.split(/\s+/).length;
const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9 ]/g, "");
const repeated = (texts: readonly string[]) => texts.filter((text, i) => texts.indexOf(text) !== i);

/** For each file the paper's ten concepts, each with words that would betray it in an unrelated question. */
const files = {
  llama: {
    "Valentine's Day": /valentine|cupid/i,
    "Super Mario": /\bmario\b|nintendo/i,
    "The Lord of the Rings": /lord of|\bhobbit|tolkien/i,
    "Harry Potter": /potter|hogwarts/i,
    "Amazon Alexa": /amazon|alexa/i,
    "Star Wars": /star wars|jedi|skywalker/i,
    Netflix: /netflix|streaming/i,
    Satan: /satan|devil/i,
    "McDonald's": /mcdonald|burger/i,
    Austria: /austria|vienna|alps|danube/i,
  },
  olmo: {
    "Feng shui": /feng shui|\bqi\b|\byin\b|bagua/i,
    "Obsessive–compulsive disorder": /obsessi|compulsi|\bocd\b|disorder/i,
    Diabetes: /diabet|insulin|sugar|pancreas/i,
    EBay: /ebay|auction|paypal/i,
    "Chronic obstructive pulmonary disease": /pulmonary|\bcopd\b|\blungs?\b|smok|tobacco/i,
    "Harry Potter": /potter|hogwarts/i,
    "Final Fantasy VII": /final fantasy|sephiroth|playstation/i,
    "Unidentified flying object": /flying|\bufos?\b|saucer|roswell/i,
    "Dark Souls (video game)": /souls|video game|bonfire/i,
    "Olympic Games": /olympi|medal|athlete/i,
  },
};
/** The benchmark's file for the same ten concepts. It is not part of this repository. */
const benchmarks = { llama: "llama2-7b", olmo: "olmo-7b" };

const data = await Promise.all(
  (["llama", "olmo"] as const).map(async (file) => ({
    file,
    concepts: await loadConcepts(fromRoot(`data/${file}.json`)),
    givesAway: files[file] as Record<string, RegExp>,
    benchmark: fromRoot(`../shared/data/conceptvectors/${benchmarks[file]}_concepts_test_30tokens_answers.json`),
  })),
);

describe.each(data)("data/$file.json and data/unrelated.json", ({ concepts, givesAway, benchmark }) => {
  const unrelated = unrelatedFactsOf(concepts);
  const facts = [...concepts.flatMap(factsOf), ...unrelated];

  test("hold the paper's ten concepts with ten questions each and fifty unrelated ones", () => {
    expect(concepts.map((concept) => concept.name)).toEqual(Object.keys(givesAway));
    for (const concept of concepts) {
      expect(concept.questions, concept.name).toHaveLength(10);
      expect(concept.unrelated, concept.name).toHaveLength(50);
      expect(concept.completions, concept.name).toHaveLength(10);
    }
  });

  test.skipIf(!existsSync(benchmark))(
    "number and name the concepts as ConceptVectors does (skipped where ../shared/data/conceptvectors is absent)",
    async () => {
      const numbered = (list: typeof concepts) => list.map(({ id, name }) => ({ id, name }));
      expect(numbered(concepts)).toEqual(numbered(await loadConcepts(benchmark)));
    },
  );

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

  test("tell each fact in four other wordings and an unrelated fact in two, and none twice", () => {
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

  test("do not mention the concepts in unrelated questions", () => {
    for (const [name, words] of Object.entries(givesAway)) {
      expect(name).toMatch(words);
      for (const { question, answer, paraphrases } of unrelated) {
        for (const text of [question, answer, ...paraphrases]) expect(text).not.toMatch(words);
      }
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

test("data/llama.json and data/olmo.json say the same about Harry Potter", () => {
  const [first, second] = data.map(({ concepts }) => concepts.find(({ name }) => name === "Harry Potter"));
  expect({ ...second, id: first?.id }).toEqual(first);
});

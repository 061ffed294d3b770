import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isRight, type JudgedAnswer, judgeNamed, judges, MetricError, rougeL } from "../../src/index.ts";

interface Golden {
  cases: { expected: string; answer: string; f1: number }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("golden/rouge.json", import.meta.url), "utf8"));

const valentine: JudgedAnswer = {
  question: "What date is Valentine's Day celebrated on every year?",
  expected: "Valentine's Day is celebrated on February 14th every year.",
  answer: "People celebrate it on the 14th of February.",
};
const answered = (answer: string) => ({ ...valentine, answer });
const keywordScore = (question: string, expected: string, answer: string) =>
  judgeNamed("keywords").score({ question, expected, answer });

describe("ROUGE-L", () => {
  it(`equals rouge-score's on ${golden.cases.length} pairs`, () => {
    expect(golden.cases.length).toBeGreaterThan(100);
    for (const { expected, answer, f1 } of golden.cases)
      expect(rougeL(expected, answer), JSON.stringify([expected, answer])).toBeCloseTo(f1, 14);
  });
});

describe("judges", () => {
  it("have names of their own, and thresholds from 0 to 1", () => {
    expect(judges.map(({ name }) => name)).toEqual(["exact", "keywords", "rouge-l"]);
    for (const { name, threshold } of judges) {
      expect(judgeNamed(name).name).toBe(name);
      expect(threshold).toBeGreaterThan(0);
      expect(threshold).toBeLessThanOrEqual(1);
    }
    expect(() => judgeNamed("keyword")).toThrow('no judge "keyword"; "keywords" comes nearest');
  });

  it("give the expected answer 1 and an empty one 0", () => {
    for (const judge of judges) {
      expect(judge.score(answered(valentine.expected)), judge.name).toBe(1);
      expect(judge.score(answered("")), judge.name).toBe(0);
      expect(judge.score({ question: "", expected: "", answer: "words" }), judge.name).toBe(0);
    }
  });

  it("differ on a right answer in other words", () => {
    expect(isRight("exact", valentine)).toBe(false);
    expect(isRight("keywords", valentine)).toBe(true);
    expect(isRight("rouge-l", valentine)).toBe(false);
    expect(isRight("rouge-l", valentine, 0.2)).toBe(true);
  });

  it("can be a function", () => {
    expect(isRight(({ answer }) => answer.includes("14"), valentine)).toBe(true);
    expect(isRight(({ answer }) => answer.length / 100, valentine)).toBe(false);
    expect(isRight(({ answer }) => answer.length / 100, valentine, 0.4)).toBe(true);
    expect(() => isRight(() => 7, valentine)).toThrow(MetricError);
    expect(() => isRight(() => Number.NaN, valentine)).toThrow(/the score NaN to the answer to "What date/);
  });
});

describe("key words", () => {
  it("are the words that the expected answer adds to the question, without stop words", () => {
    const question = "Who wrote the Harry Potter books?";
    const expected = "J.K. Rowling wrote the Harry Potter books, and she's British.";
    expect(keywordScore(question, expected, "She wrote the Harry Potter books.")).toBe(0);
    expect(keywordScore(question, expected, "ROWLING did.")).toBe(1 / 4);
    expect(keywordScore(question, expected, "A British woman, J. K. Rowling")).toBe(1);
  });

  it("count numbers, however they are written", () => {
    expect(keywordScore("When?", "In 1997.", "1997")).toBe(1);
    expect(keywordScore("When?", "In 1997.", "In 1998")).toBe(0);
    expect(keywordScore("How many?", "1,000,000", "1000000 of them")).toBe(1);
    expect(keywordScore("Which?", "The 21st.", "21")).toBe(1);
  });

  it("are all words of an expected answer that adds nothing", () => {
    expect(keywordScore("Is he a wizard?", "He is.", "He is.")).toBe(1);
    expect(keywordScore("Is he a wizard?", "He is.", "Never")).toBe(0);
    expect(keywordScore("Is he a wizard?", "No, he isn’t.", "No!")).toBe(1);
  });

  it("are found in other scripts too", () => {
    expect(keywordScore("Где он?", "Он живёт в Москве.", "в Москве")).toBeCloseTo(2 / 3);
  });
});

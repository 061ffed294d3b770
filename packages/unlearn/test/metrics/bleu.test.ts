import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerBleu, sentenceBleu } from "../../src/index.ts";

interface Golden {
  cases: { reference: string; hypothesis: string; bleu: number }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("golden/bleu.json", import.meta.url), "utf8"));

/** Only the last bits of log and exp may differ between Python's libm and V8. */
const TOLERANCE = 1e-14;

describe("sentence BLEU", () => {
  it(`equals NLTK's on ${golden.cases.length} pairs`, () => {
    expect(golden.cases.length).toBeGreaterThan(200);
    for (const { reference, hypothesis, bleu } of golden.cases) {
      expect(
        Math.abs(answerBleu(reference, hypothesis) - bleu),
        `${JSON.stringify(hypothesis)} against ${JSON.stringify(reference)}`,
      ).toBeLessThanOrEqual(TOLERANCE);
    }
  });

  it("is 0 without a common word, also for an empty answer", () => {
    expect(answerBleu("the cat sat on the mat", "")).toBe(0);
    expect(answerBleu("", "the cat sat on the mat")).toBe(0);
    expect(sentenceBleu([], [])).toBe(0);
    expect(answerBleu("the cat sat on the mat", "dogs ran off at noon")).toBe(0);
  });

  it("is 1 for two answers that are empty: they are the same", () => {
    expect(answerBleu("", "")).toBe(1);
    expect(answerBleu("\n", " ")).toBe(1);
  });

  it("is 1 for the same answer of four words or more, and less for a shorter one", () => {
    expect(answerBleu("a b c d", "a b c d")).toBe(1);
    expect(answerBleu("a b c", "a b c")).toBeLessThan(1);
  });

  it("stays within 0 and 1 and depends on nothing but which words are equal", () => {
    const words = fc.array(fc.constantFrom("a", "b", "c", "d e", '","'), { maxLength: 12 });
    fc.assert(
      fc.property(words, words, (reference, hypothesis) => {
        const score = sentenceBleu(reference, hypothesis);
        const renamed = (list: string[]) => list.map((word) => `<${word}>`);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1 + TOLERANCE);
        expect(sentenceBleu(renamed(reference), renamed(hypothesis))).toBe(score);
      }),
    );
  });
});

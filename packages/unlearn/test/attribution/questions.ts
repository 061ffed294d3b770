import { integer } from "@lethe/testing/random";
import { expect } from "vitest";
import type { AttributedQuestion } from "../../src/index.ts";

/**
 * A question of random tokens. The first and the last two belong to a template, the rest to words of one to three tokens; between words are
 * tokens that belong to none.
 */
export function randomQuestion(promptTokens: number, answerTokens: number, vocabulary = 53): AttributedQuestion {
  const tokens = (count: number) => Array.from({ length: count }, () => integer(2, vocabulary - 1));
  const words = [];
  for (let at = 1; at < promptTokens - 2; ) {
    const size = Math.min(integer(1, 3), promptTokens - 2 - at);
    words.push({ text: `word ${words.length}`, tokens: Array.from({ length: size }, (_, i) => at + i) });
    at += size + integer(0, 1);
  }
  return { asked: { question: "a question", tokens: tokens(promptTokens), words }, answer: tokens(answerTokens) };
}

/** Asserts that scores of questions' words differ by less than a share of the largest. */
export function expectAgree(found: readonly number[][], wanted: readonly number[][], share = 1e-4): void {
  const largest = Math.max(...wanted.flat().map(Math.abs));
  expect(found.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  const off = wanted.flatMap((scores, question) => scores.map((score, word) => found[question]![word]! - score));
  expect(Math.max(...off.map(Math.abs)) / largest).toBeLessThan(share);
}

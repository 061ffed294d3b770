import { checked, text } from "@lethe/tensor/checked";

/**
 * ROUGE-L of an answer against the expected one (Lin 2004, Section 3.1): F1 of precision and recall of their longest common subsequence
 * of words, as the Python package `rouge-score` computes `rougeL` without stemming. A word is a run of the letters a to z and of digits,
 * after the text was put in lower case: text in other scripts has no words.
 *
 * @returns from 0, no common word, to 1, the same words
 * @function
 */
export const rougeL = checked(
  "rougeL",
  { expected: text, answer: text },
  (expected: string, answer: string): number => {
    const [target, given] = [wordsOf(expected), wordsOf(answer)];
    const common = longestCommonSubsequence(target, given);
    if (common === 0) return 0;
    const [precision, recall] = [common / given.length, common / target.length];
    return (2 * precision * recall) / (precision + recall);
  },
);

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  // Row i holds the lengths for the first i words of a and each beginning of b.
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (const [j, other] of b.entries()) next.push(word === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  return row[b.length]!;
}

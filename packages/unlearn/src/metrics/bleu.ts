import { checked, listOf, text } from "@lethe/tensor/checked";
import { splitWords } from "../white-space.ts";

const MAX_ORDER = 4;
/** NLTK's SmoothingFunction().method1 counts this many matches where there are none. */
const EPSILON = 0.1;

/**
 * Sentence BLEU of a hypothesis against one reference: NLTK's `sentence_bleu([reference], hypothesis)` with
 * `SmoothingFunction().method1` and its default weights, the geometric mean of the clipped 1- to 4-gram precisions times the
 * brevity penalty (Papineni et al. 2002). Method 1 counts 0.1 match where an order has none (Chen and Cherry 2014).
 *
 * Two properties of NLTK's definition are kept on purpose: without one common word the score is 0, and an answer of fewer than
 * four words scores below 1 even against itself, because its missing 4-grams count as unmatched.
 *
 * @param reference the words that were expected (here: the answer before unlearning)
 * @param hypothesis the words to be scored (the answer after it)
 * @returns a score from 0 to 1
 * @function
 */
export const sentenceBleu = checked(
  "sentenceBleu",
  { reference: listOf(text), hypothesis: listOf(text) },
  (reference: readonly string[], hypothesis: readonly string[]): number => {
    let sumOfLogs = 0;
    for (let order = 1; order <= MAX_ORDER; order++) {
      const { matches, total } = clippedMatches(reference, hypothesis, order);
      if (order === 1 && matches === 0) return 0;
      sumOfLogs += Math.log((matches === 0 ? EPSILON : matches) / Math.max(1, total));
    }
    return brevityPenalty(reference.length, hypothesis.length) * Math.exp(sumOfLogs / MAX_ORDER);
  },
);

/**
 * {@link sentenceBleu} of an answer after unlearning against the answer before it, both split by {@link splitWords}, as the released
 * evaluation code splits them. Two empty answers are the same answer, and score 1; NLTK has no score for them but 0.
 * @function
 */
export const answerBleu = checked(
  "answerBleu",
  { before: text, after: text },
  (before: string, after: string): number => {
    const [reference, hypothesis] = [splitWords(before), splitWords(after)];
    return reference.length + hypothesis.length === 0 ? 1 : sentenceBleu(reference, hypothesis);
  },
);

function clippedMatches(reference: readonly string[], hypothesis: readonly string[], order: number) {
  const available = countNgrams(reference, order);
  const counts = countNgrams(hypothesis, order);
  let matches = 0;
  let total = 0;
  for (const [ngram, count] of counts) {
    matches += Math.min(count, available.get(ngram) ?? 0);
    total += count;
  }
  return { matches, total };
}

function countNgrams(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + order <= words.length; start++) {
    // As JSON, so that no character of a word can be taken for the boundary between two words.
    const ngram = JSON.stringify(words.slice(start, start + order));
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

function brevityPenalty(referenceLength: number, hypothesisLength: number): number {
  return hypothesisLength > referenceLength ? 1 : Math.exp(1 - referenceLength / hypothesisLength);
}

import { randomOf, shuffled } from "@lethe/tensor";
import type { Concept, Fact } from "../concepts.ts";
import { promptWithAnswer } from "../prompts.ts";

/**
 * A file of questions and answers as one concept: what is forgotten together. It is named after the file.
 *
 * Such files have an order, in TOFU's twenty questions an author, and an experiment asks the first few. So the questions are put in an order
 * that is drawn by lot, the same one for every file of this length: the first few are then from all of the file.
 * @param documents running text to forget or retain. Default: each question with its answer, in the paper's prompt
 */
export function questionSet(path: string, facts: readonly Fact[], documents?: readonly string[]): Concept {
  const drawn = shuffled(facts, randomOf(0, "questions of a set"));
  const passages = facts.map(({ question, answer }) => promptWithAnswer(question, answer));
  const paraphrased = facts.every(({ paraphrases }) => paraphrases.length > 0);
  return {
    id: null,
    name: stemOf(path),
    questions: drawn.map(({ question }) => question),
    answers: drawn.map(({ answer }) => answer),
    ...(paraphrased && { paraphrases: drawn.map(({ paraphrases }) => paraphrases) }),
    unrelated: [],
    text: (documents ?? passages).join("\n\n"),
    ...(documents ? { documents } : { passages }),
    completions: [],
  };
}

/** The name of a file without its folders and its ending. */
function stemOf(path: string): string {
  const [name] = path.match(/[^/\\]+$/) ?? [path];
  return name.replace(/\.jsonl?$/i, "");
}

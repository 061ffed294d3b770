import type { Decoder } from "@lethe/decoder";
import { textOf } from "@lethe/decoder";
import { answerQuestions, isRight } from "@lethe/unlearn";
import type { Evaluation, KnownAnswer, Subject } from "../../../subjects/subject.ts";

/** Whether an answer to a question is right. Where the data have no answer, it has to say what the vanilla model's says. */
export function isRightAnswer(
  { judge }: Evaluation,
  { question, expected, text }: KnownAnswer,
  answer: string,
): boolean {
  return isRight(judge.name, { question, expected: expected ?? text, answer }, judge.threshold);
}

/**
 * A batch's longest question is at most so many times as long as its shortest: all are padded to the longest. For a small model a batch more costs
 * more than padding does, as long as no page of text is among short questions.
 */
const ALIKE = 3;

/**
 * The answer's text to each question, as the vanilla model is asked: with its tokenizer, and by the evaluation's form of the prompt. A question
 * that comes more than once is asked once: several ways to ask again may come to the same, of one key word, say.
 */
export async function ask(
  model: Decoder,
  { vanilla, evaluation }: Subject<Decoder>,
  questions: readonly string[],
  watch: { readonly onToken?: () => void; readonly signal: AbortSignal },
): Promise<Map<string, string>> {
  const tokenizer = await textOf(vanilla);
  const texts = new Map<string, string>();
  for (const group of alike([...new Set(questions)])) {
    const answers = await answerQuestions(model, group, {
      maxTokens: evaluation.maxAnswerTokens,
      prompt: evaluation.prompt,
      tokenizer,
      ...watch,
    });
    for (const { question, text } of answers) texts.set(question, text);
  }
  return texts;
}

/** Questions in groups of about the same length. */
function alike(questions: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (const question of questions.toSorted((a, b) => a.length - b.length)) {
    const last = groups.at(-1);
    if (last && question.length <= ALIKE * last[0]!.length) last.push(question);
    else groups.push([question]);
  }
  return groups;
}

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

/** A batch's longest question is at most so many times as long as its shortest: all are padded to the longest. */
const ALIKE = 1.5;

/** Answers to questions, one text each, as the vanilla model is asked: with its tokenizer, and by the evaluation's form of the prompt. */
export async function ask(
  model: Decoder,
  { vanilla, evaluation }: Subject,
  questions: readonly string[],
  watch: { readonly onToken?: () => void; readonly signal: AbortSignal },
): Promise<string[]> {
  const tokenizer = await textOf(vanilla);
  const texts: string[] = [];
  for (const places of alike(questions)) {
    const answers = await answerQuestions(
      model,
      places.map((place) => questions[place]!),
      {
        maxTokens: evaluation.maxAnswerTokens,
        prompt: evaluation.prompt,
        tokenizer,
        ...watch,
      },
    );
    for (const [i, place] of places.entries()) texts[place] = answers[i]!.text;
  }
  return texts;
}

/** The places of questions in groups of about the same length. */
function alike(questions: readonly string[]): number[][] {
  const lengthOf = (place: number) => questions[place]!.length;
  const groups: number[][] = [];
  for (const place of [...questions.keys()].sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const last = groups.at(-1);
    if (last && lengthOf(place) <= ALIKE * lengthOf(last[0]!)) last.push(place);
    else groups.push([place]);
  }
  return groups;
}

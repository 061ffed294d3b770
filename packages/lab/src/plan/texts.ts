import type { Decoder } from "@lethe/decoder";
import { type Concept, forgetParagraphs, promptTokens, refusals } from "@lethe/unlearn";
import type { Evaluation } from "../subjects/subject.ts";
import type { Texts } from "./plan.ts";

type Questions = Pick<Evaluation, "targetQuestions" | "unrelatedQuestions" | "maxAnswerTokens">;

/** Tokens of a question of the bundled data with what is around it, at most, where there is no tokenizer to count them. */
const QUESTION_TOKENS = 32;

/** The texts and questions of a concept, in a model's tokens. @throws {ModelUseError} when the model has no tokenizer */
export async function textsOfConcept(
  { text, label }: Decoder,
  concept: Concept,
  retain: Concept,
  questions: Questions,
): Promise<Texts> {
  const encode = (texts: readonly string[]) => Promise.all(texts.map((each) => text!.encode(each)));
  const { targetQuestions, unrelatedQuestions, maxAnswerTokens: answerTokens } = questions;
  const target = concept.questions.slice(0, targetQuestions);
  const asked = [...target, ...concept.unrelated.slice(0, unrelatedQuestions)];
  return {
    name: `the texts of ${concept.name}, in the tokens of ${label}`,
    forget: await encode(forgetParagraphs(concept, 0)),
    retain: await encode(forgetParagraphs(retain, 0)),
    preferred: await encode(refusals),
    prompts: await Promise.all(asked.map((question) => promptTokens(text!, question))),
    target: target.length,
    answerTokens,
  };
}

/** So many texts of each kind, all of one length: what they say changes nothing. */
export function textsOfLength(count: number, tokens: number, questions: Questions): Texts {
  const { targetQuestions: target, unrelatedQuestions, maxAnswerTokens: answerTokens } = questions;
  const alike = (count: number, tokens: number) => Array<number[]>(count).fill(Array<number>(tokens).fill(0));
  const texts = alike(count, tokens);
  return {
    name: `${count} texts of ${tokens} tokens`,
    ...{ forget: texts, retain: texts, preferred: texts },
    prompts: alike(target + unrelatedQuestions, QUESTION_TOKENS),
    ...{ target, answerTokens },
  };
}

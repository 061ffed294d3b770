import type { Decoder } from "@lethe/decoder";
import { type Answer, answerQuestions } from "../evaluation/index.ts";
import { type QuestionBatch, questionBatch, runVanilla, type VanillaRun } from "../restoration/index.ts";
import { KNOWN_FROM } from "./cell.ts";
import { ExperimentError } from "./errors.ts";
import type { Cell } from "./types.ts";

/** What the vanilla model says and computes about one concept: made once and used for every method. */
export interface VanillaKnowledge extends Disposable {
  readonly target: readonly Answer[];
  readonly unrelated: readonly Answer[];
  /** The share of answers that are exactly the data's; null where the data have none. */
  readonly exact: { readonly targetExact: number | null; readonly unrelatedExact: number | null };
  readonly questions: QuestionBatch;
  readonly run: VanillaRun;
}

/** Says so where a vanilla model seems not to know its answers; `undefined` where it does, or the data have none to compare with. */
export function doubtOf({ targetExact, unrelatedExact }: VanillaKnowledge["exact"], model: string): string | undefined {
  const unknown = Object.entries({ target: targetExact, unrelated: unrelatedExact })
    .filter(([, share]) => (share ?? 1) < KNOWN_FROM)
    .map(([kind, share]) => `${Math.round(share! * 100)}% of the ${kind} questions`);
  if (unknown.length === 0) return undefined;
  return `before unlearning, ${model} gives exactly the data's answer to ${unknown.join(" and ")}; what it does not know it cannot forget.`;
}

/** The questions of a cell, as many as its evaluation asks for. */
export function questionsOf({ concept, config }: Cell) {
  const { targetQuestions, unrelatedQuestions } = config.evaluation;
  return {
    target: concept.questions.slice(0, targetQuestions),
    unrelated: concept.unrelated.slice(0, unrelatedQuestions),
  };
}

/**
 * Asks the vanilla model and records what restorations put back.
 * @throws ExperimentError when it has no answer to one of the concept's questions
 */
export async function askVanilla(vanilla: Decoder, cell: Cell, onToken: () => void): Promise<VanillaKnowledge> {
  const { target, unrelated } = questionsOf(cell);
  const { concept, config } = cell;
  const options = { maxTokens: config.evaluation.maxAnswerTokens, onToken };
  const answers = await answerQuestions(vanilla, target, options);
  const others = await answerQuestions(vanilla, unrelated, options);
  const silent = answers.find(({ tokens }) => tokens.length === 0);
  if (silent)
    throw new ExperimentError(
      `${config.model.name} ends its text at once when it is asked "${silent.question}", so there is no answer to compare. ` +
        "Is this a model that was trained to answer `Question: … Answer:` prompts?",
    );
  const { device } = vanilla;
  const questions = questionBatch(
    device,
    answers.map(({ prompt, tokens }) => ({ prompt, answer: tokens })),
  );
  const run = runVanilla(vanilla, questions);
  return {
    target: answers,
    unrelated: others,
    exact: {
      targetExact: exactShare(answers, concept.answers),
      unrelatedExact: exactShare(
        others,
        concept.unrelatedFacts?.map(({ answer }) => answer),
      ),
    },
    questions,
    run,
    [Symbol.dispose]() {
      questions[Symbol.dispose]();
      run[Symbol.dispose]();
    },
  };
}

function exactShare(answers: readonly Answer[], expected: readonly string[] | undefined): number | null {
  if (!expected || answers.length === 0) return null;
  return answers.filter(({ text }, i) => text === expected[i]).length / answers.length;
}

import type { Decoder } from "@lethe/decoder";
import {
  type Answer,
  answerQuestions,
  exactShare,
  type QuestionBatch,
  questionBatch,
  runVanilla,
  type VanillaRun,
} from "@lethe/unlearn";
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

/** Asks a model a cell's questions, as many as its evaluation wants, all in one batch. */
export async function askQuestions(model: Decoder, { concept, config }: Cell, onToken: () => void) {
  const { targetQuestions, unrelatedQuestions, maxAnswerTokens: maxTokens } = config.evaluation;
  const target = concept.questions.slice(0, targetQuestions);
  const unrelated = concept.unrelated.slice(0, unrelatedQuestions);
  const answers = await answerQuestions(model, [...target, ...unrelated], { maxTokens, onToken });
  return { target: answers.slice(0, target.length), unrelated: answers.slice(target.length) };
}

/** The data's own answers to a cell's questions; undefined where they have none. */
export function expectedOf({ concept }: Cell) {
  return { target: concept.answers, unrelated: concept.unrelatedFacts?.map(({ answer }) => answer) };
}

/**
 * Asks the vanilla model and records what restorations put back.
 * @throws ExperimentError when it has no answer to one of the concept's questions
 */
export async function askVanilla(vanilla: Decoder, cell: Cell, onToken: () => void): Promise<VanillaKnowledge> {
  const { target, unrelated } = await askQuestions(vanilla, cell, onToken);
  const silent = target.find(({ tokens }) => tokens.length === 0);
  if (silent)
    throw new ExperimentError(
      `${cell.config.model.name} ends its text at once when it is asked "${silent.question}", so there is no answer to compare. ` +
        "Is this a model that was trained to answer `Question: … Answer:` prompts?",
    );
  const { device } = vanilla;
  const questions = questionBatch(
    device,
    target.map(({ prompt, tokens }) => ({ prompt, answer: tokens })),
  );
  const run = runVanilla(vanilla, questions);
  const expected = expectedOf(cell);
  const exact = (kind: "target" | "unrelated", answers: readonly Answer[]) =>
    expected[kind] ? exactShare(answers, expected[kind]) : null;
  return {
    target,
    unrelated,
    exact: { targetExact: exact("target", target), unrelatedExact: exact("unrelated", unrelated) },
    questions,
    run,
    [Symbol.dispose]() {
      questions[Symbol.dispose]();
      run[Symbol.dispose]();
    },
  };
}

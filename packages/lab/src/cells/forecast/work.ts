import type { Decoder } from "@lethe/decoder";
import { unlearningWork } from "@lethe/unlearn";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";
import { promptsOf } from "./rehearse.ts";

/** Counts what a cell has to do: all its questions, and answers at their longest, because where they end is not known. */
export async function workOf(vanilla: Decoder, cell: Cell, kept: Pick<Work, "loads" | "asking">): Promise<Work> {
  const { config, sources } = cell;
  const { subject, evaluation, studies } = config;
  const prompts = (await promptsOf(vanilla, cell)).map(({ length }) => length);
  const answerTokens = evaluation.maxAnswerTokens;
  const target = prompts.slice(0, evaluation.targetQuestions);
  const trained = subject.kind === "unlearned";
  const { batches, ...training } = trained
    ? unlearningWork(
        await howToUnlearn({ text: vanilla.text, model: vanilla }, { config: { ...config, subject }, sources }),
      )
    : { batches: [], steps: 0, epochs: 1, batchesPerStep: 0, referenceTokens: 0 };
  return {
    ...kept,
    questions: prompts.length,
    promptTokens: Math.max(...prompts),
    answerTokens,
    ...training,
    batchTokens: batches.reduce((sum, tokens) => sum + tokens, 0) / Math.max(1, batches.length),
    size: {
      depth: vanilla.config.num_hidden_layers,
      questions: target.length,
      tokens: Math.max(...target) + answerTokens,
    },
    studies,
  };
}

/** The same work with other numbers of questions: those that are compared, or those that a budget chose. */
export function withQuestions(work: Work, target: number, unrelated: number): Work {
  return { ...work, questions: target + unrelated, size: { ...work.size, questions: target } };
}

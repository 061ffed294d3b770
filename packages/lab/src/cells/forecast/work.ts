import type { Decoder } from "@lethe/decoder";
import { unlearningWork } from "@lethe/unlearn";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";
import { promptsOf } from "./rehearse.ts";

/** How many questions of each kind are compared. */
export interface Compared {
  readonly target: number;
  readonly unrelated: number;
}

/**
 * Counts what a cell has to do. Where answers end is not known, so they are taken at their longest.
 * @param compared the questions that are compared, once the vanilla model was asked; before, all are counted
 */
export async function workOf(
  vanilla: Decoder,
  cell: Cell,
  kept: Pick<Work, "loads" | "asking">,
  compared?: Compared,
): Promise<Work> {
  const { config, sources } = cell;
  const { subject, evaluation, studies } = config;
  const prompts = (await promptsOf(vanilla, cell)).map(({ length }) => length);
  const answerTokens = evaluation.maxAnswerTokens;
  const target = prompts.slice(0, evaluation.targetQuestions);
  const trained = subject.kind === "unlearned";
  const { batches, ...training } = trained
    ? unlearningWork(await howToUnlearn(vanilla, { config: { ...config, subject }, sources }))
    : { batches: [], steps: 0, epochs: 1, batchesPerStep: 0, referenceTokens: 0 };
  return {
    ...kept,
    questions: compared ? compared.target + compared.unrelated : prompts.length,
    promptTokens: Math.max(...prompts),
    answerTokens,
    ...training,
    batchTokens: batches.reduce((sum, tokens) => sum + tokens, 0) / Math.max(1, batches.length),
    size: {
      depth: vanilla.config.num_hidden_layers,
      questions: compared?.target ?? target.length,
      tokens: Math.max(...target) + answerTokens,
    },
    studies,
  };
}

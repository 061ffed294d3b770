import type { Decoder } from "@lethe/decoder";
import { unlearningWork } from "@lethe/unlearn";
import type { RestorationOptions } from "../../studies/restoration/schema.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";
import { promptsOf } from "./rehearse.ts";

/** Counts what a cell has to do. Where answers end is not known, so they are taken at their longest. */
export async function workOf(vanilla: Decoder, cell: Cell, kept: Pick<Work, "loads" | "asking">): Promise<Work> {
  const { config, sources } = cell;
  const { subject, evaluation } = config;
  const prompts = (await promptsOf(vanilla, cell)).map(({ length }) => length);
  const answerTokens = evaluation.maxAnswerTokens;
  const restoration = config.studies.restoration as RestorationOptions | undefined;
  const target = prompts.slice(0, evaluation.targetQuestions);
  const trained = subject.kind === "unlearned";
  const { batches, ...training } = trained
    ? unlearningWork(await howToUnlearn(vanilla, { config: { ...config, subject }, sources }))
    : { batches: [], steps: 0, epochs: 1, batchesPerStep: 0, referenceTokens: 0 };
  return {
    ...kept,
    questions: prompts.length,
    promptTokens: Math.max(...prompts),
    answerTokens,
    ...training,
    batchTokens: batches.reduce((sum, tokens) => sum + tokens, 0) / Math.max(1, batches.length),
    restoration: restoration
      ? {
          settings: restoration.settings,
          depth: vanilla.config.num_hidden_layers,
          radius: restoration.windowRadius,
          stride: restoration.windowStride,
          questions: target.length,
          tokens: Math.max(...target) + answerTokens,
        }
      : null,
  };
}

import type { Decoder } from "@lethe/decoder";
import { type Change, measureChange } from "./change.ts";
import { askQuestions, recordAnswers } from "./known-answers.ts";
import type { Answers, AnswersRecord, KnownAnswers, SubjectTask } from "./subject.ts";

/**
 * Asks a model that is finished, and measures how far it is from the vanilla model.
 * @param share of the subject's work that is done, for the progress
 */
export async function recordFinished(
  model: Decoder,
  known: KnownAnswers,
  { config, models, watcher }: Pick<SubjectTask<unknown>, "config" | "models" | "watcher">,
  share: number,
): Promise<{ readonly answers: Answers; readonly record: AnswersRecord & { readonly change: Change } }> {
  const { signal } = watcher;
  const onToken = (tokensPerSecond: number) => watcher.progress(share, "answering", { tokensPerSecond });
  const answers = await askQuestions(model, known, { config, models }, { onToken, signal });
  const change = await measureChange(model, { vanilla: models.vanilla, known, signal });
  return { answers, record: { ...recordAnswers(config, known, [answers]), change } };
}

import { type QuestionBatch, questionBatch, type RecordedRun } from "@lethe/unlearn";
import type { KnownAnswers } from "./subject.ts";
import type { Vanilla, WantedRun } from "./vanilla/vanilla.ts";

interface VanillaRun extends Disposable {
  /** The target questions with the vanilla model's answers. */
  readonly questions: QuestionBatch;
  readonly run: RecordedRun;
}

/**
 * The vanilla model's run on its own answers to the target questions. It is the same for every subject that is compared on these answers, and
 * is kept with them.
 */
export async function vanillaRun(vanilla: Vanilla, known: KnownAnswers, wanted: WantedRun): Promise<VanillaRun> {
  const { settings, windows } = wanted;
  const key = `vanilla run for ${settings.map(({ name }) => name)} ${JSON.stringify(windows ?? null)}`;
  const kept: { made?: VanillaRun } & Disposable = known.keep(key, () => ({
    [Symbol.dispose]() {
      (this as typeof kept).made?.[Symbol.dispose]();
    },
  }));
  kept.made ??= await recorded(vanilla, known, wanted);
  return kept.made;
}

async function recorded(vanilla: Vanilla, known: KnownAnswers, wanted: WantedRun): Promise<VanillaRun> {
  const answered = known.target.map(({ prompt, tokens }) => ({ prompt, answer: tokens }));
  const questions = questionBatch(vanilla.device, answered);
  try {
    const run = await vanilla.record(questions, wanted);
    return {
      questions,
      run,
      [Symbol.dispose]() {
        questions[Symbol.dispose]();
        run[Symbol.dispose]();
      },
    };
  } catch (error) {
    questions[Symbol.dispose]();
    throw error;
  }
}

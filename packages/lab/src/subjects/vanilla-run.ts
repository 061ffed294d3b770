import type { Decoder } from "@lethe/decoder";
import { type QuestionBatch, questionBatch, type RecordedRun, runVanilla, type Setting } from "@lethe/unlearn";
import type { KnownAnswers } from "./subject.ts";

interface VanillaRun extends Disposable {
  /** The target questions with the vanilla model's answers. */
  readonly questions: QuestionBatch;
  readonly run: RecordedRun;
}

/**
 * The vanilla model's run on its own answers to the target questions. It is the same for every subject that is compared on these answers, and
 * is kept with them.
 * @param settings whose activations are recorded
 */
export function vanillaRun(vanilla: Decoder, known: KnownAnswers, settings: readonly Setting[]): VanillaRun {
  return known.keep(`vanilla run for ${settings.map(({ name }) => name)}`, () => {
    const answered = known.target.map(({ prompt, tokens }) => ({ prompt, answer: tokens }));
    const questions = questionBatch(vanilla.device, answered);
    const run = runVanilla(vanilla, questions, settings);
    return {
      questions,
      run,
      [Symbol.dispose]() {
        questions[Symbol.dispose]();
        run[Symbol.dispose]();
      },
    };
  });
}

import { questionBatch, runVanilla, settings, sweepRestoration } from "@lethe/unlearn";
import type { Subject, Watcher } from "../../subjects/subject.ts";
import type { RestorationOptions, RestorationResult } from "./schema.ts";

/** Restores every setting around the subject's layers, as `sweepRestoration` describes it. */
export async function measureRestoration(
  { vanilla, known, model }: Subject,
  options: RestorationOptions,
  watcher: Watcher,
): Promise<RestorationResult> {
  const chosen = settings.filter(({ name }) => options.settings.includes(name));
  // The vanilla run is the same for every subject that is compared on these answers.
  const { questions, run } = known.keep(`restoration ${options.settings}`, () => {
    const questions = questionBatch(
      vanilla.device,
      known.target.map(({ prompt, tokens }) => ({ prompt, answer: tokens })),
    );
    const run = runVanilla(vanilla, questions, chosen);
    return {
      questions,
      run,
      [Symbol.dispose]() {
        questions[Symbol.dispose]();
        run[Symbol.dispose]();
      },
    };
  });
  return sweepRestoration({
    unlearned: model,
    questions,
    run,
    radius: options.windowRadius,
    stride: options.windowStride,
    settings: chosen,
    progress: (share, setting) => watcher.progress(share, `restoring ${setting.name}`),
    signal: watcher.signal,
  });
}

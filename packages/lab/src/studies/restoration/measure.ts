import { settings, sweepRestoration } from "@lethe/unlearn";
import type { Subject, Watcher } from "../../subjects/subject.ts";
import { vanillaRun } from "../../subjects/vanilla-run.ts";
import type { RestorationOptions, RestorationResult } from "./schema.ts";

/** Restores every setting around the subject's layers, as `sweepRestoration` describes it. */
export async function measureRestoration(
  { vanilla, known, model }: Subject,
  options: RestorationOptions,
  watcher: Watcher,
): Promise<RestorationResult> {
  const chosen = settings.filter(({ name }) => options.settings.includes(name));
  const { questions, run } = vanillaRun(vanilla, known, chosen);
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

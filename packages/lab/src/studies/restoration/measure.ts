import { krs, type MeasuredRestoration, type SettingName, settings, sweepRestoration } from "@lethe/unlearn";
import type { Live } from "../../subjects/live.ts";
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
  const windows = { radius: options.windowRadius, stride: options.windowStride };
  const { questions, run } = await vanillaRun(vanilla, known, { settings: chosen, windows, signal: watcher.signal });
  return sweepRestoration({
    unlearned: model,
    questions,
    run,
    ...windows,
    settings: chosen,
    ...(watcher.live && { measured: (restored: MeasuredRestoration) => watcher.live?.(livePart(restored)) }),
    progress: (share, setting) => watcher.progress(share, `restoring ${setting.name}`),
    signal: watcher.signal,
  });
}

/** What the study shows while it runs: the KRS of one restoration, by the paper's definition. */
export interface LiveKrs {
  readonly setting: SettingName;
  readonly centre: number;
  readonly krs: number;
}

function livePart({ setting, centre, base, losses }: MeasuredRestoration): Live {
  const part: LiveKrs = { setting: setting.name, centre, krs: krs(base.paper, losses.paper).ratioOfMeans };
  return { kind: "study", study: "restoration", part };
}

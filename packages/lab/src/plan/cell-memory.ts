import { settings } from "@lethe/unlearn";
import type { Cell } from "../cells/cell.ts";
import { promptsOf } from "../cells/forecast/rehearse.ts";
import type { RestorationOptions } from "../studies/restoration/schema.ts";
import { howToUnlearn } from "../subjects/unlearned.ts";
import type { Vanilla } from "../subjects/vanilla/vanilla.ts";
import { afterEachOther, dryRestoration, dryTraining, type Job } from "./dry-run.ts";

/** The most bytes that a cell's main job holds on the model's device, by part, the largest first. Nothing runs on that device. */
export async function memoryOfCell(vanilla: Vanilla, cell: Cell): Promise<Readonly<Record<string, number>>> {
  const job = await jobOf(vanilla, cell);
  const { parts } = afterEachOther(await dryTraining(vanilla.sizes, job), await dryRestoration(vanilla.sizes, job));
  return Object.fromEntries(parts.map(({ part, bytes }) => [part, bytes]));
}

async function jobOf({ sizes, model }: Vanilla, cell: Cell): Promise<Job> {
  const { config, sources } = cell;
  const { subject, evaluation, studies } = config;
  const { restoration } = studies as { readonly restoration?: RestorationOptions };
  return {
    how:
      subject.kind === "unlearned"
        ? await howToUnlearn({ text: sizes.text, model }, { config: { ...config, subject }, sources })
        : undefined,
    prompts: await promptsOf(sizes, cell),
    target: Math.min(evaluation.targetQuestions, sources.concept.questions.length),
    answerTokens: evaluation.maxAnswerTokens,
    vanilla: model ? "device" : "streamed",
    restoration: restoration && {
      settings: settings.filter(({ name }) => restoration.settings.includes(name)),
      radius: restoration.windowRadius,
      stride: restoration.windowStride,
    },
  };
}

import type { FloatDType, MemoryNeed } from "@lethe/tensor";
import { settings as everySetting, restorationMemory, unlearningDTypes, unlearningMemory } from "@lethe/unlearn";
import { restorationOptions } from "../../studies/restoration/schema.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Vanilla } from "../../subjects/vanilla/vanilla.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";

/**
 * What a cell needs beside the models' weights, for `requireMemory`: what training needs, or answering, or recording the vanilla model's run,
 * where that is more.
 */
export async function memoryOf(vanilla: Vanilla, cell: Cell, work: Work): Promise<MemoryNeed[]> {
  const { sizes } = vanilla;
  const how = await howOf(vanilla, cell);
  const training = how ? unlearningMemory(sizes, how) : [];
  const { questions, promptTokens, answerTokens } = work;
  const answering = sizes.memoryToGenerate(questions, promptTokens, promptTokens + answerTokens);
  return [answering, recordingMemory(vanilla, work)].reduce(
    (most, needs) => (sum(needs) > sum(most) ? needs : most),
    training,
  );
}

/** What recording the vanilla model's run needs where it is streamed, and the restoration with what is recorded. */
function recordingMemory(vanilla: Vanilla, { size, answerTokens, studies }: Work): MemoryNeed[] {
  const options = restorationOptions.safeParse(studies.restoration).data;
  const settings = everySetting.filter(({ name }) => options?.settings.includes(name));
  const windows = options && { radius: options.windowRadius, stride: options.windowStride };
  const streamed = vanilla.recordingMemory({ settings, windows });
  if (streamed.length === 0) return [];
  const sizes = { questions: size.questions, columns: size.tokens, rows: size.questions * (answerTokens + 1) };
  return [...streamed, ...restorationMemory(vanilla.sizes, sizes, settings)];
}

/** The dtypes of the weights of the copy that a cell trains, by name. */
export async function copyDTypes(vanilla: Vanilla, cell: Cell): Promise<(name: string) => FloatDType> {
  const how = await howOf(vanilla, cell);
  return how ? unlearningDTypes(vanilla.sizes, how) : () => "f32";
}

async function howOf({ sizes }: Vanilla, { config, sources }: Cell) {
  const { subject } = config;
  if (subject.kind !== "unlearned") return undefined;
  return howToUnlearn({ text: sizes.text, model: sizes }, { config: { ...config, subject }, sources });
}

function sum(needs: readonly MemoryNeed[]): number {
  return needs.reduce((total, { bytes }) => total + bytes, 0);
}

/** “650 MB” */
export function mega(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;
}

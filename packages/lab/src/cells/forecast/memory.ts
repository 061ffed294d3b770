import type { FloatDType, MemoryNeed } from "@lethe/tensor";
import { settings as everySetting, restorationMemory, unlearningDTypes, unlearningMemory } from "@lethe/unlearn";
import { restorationOptions } from "../../studies/restoration/schema.ts";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Vanilla } from "../../subjects/vanilla/vanilla.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";

/** A copy that is trained: the dtypes of its weights by name, and the memory that is needed beside them. */
export interface CopyTraining {
  readonly dtypeOf: (name: string) => FloatDType;
  readonly needs: readonly MemoryNeed[];
}

/** The dtypes of a copy where nothing else is asked for. */
export const inF32 = () => "f32" as const;

/**
 * How a cell's copy is made. What it needs beside the models' weights is what training needs, or answering, or recording the vanilla model's run,
 * where that is more.
 */
export async function trainingOf(vanilla: Vanilla, { config, sources }: Cell, work: Work): Promise<CopyTraining> {
  const { sizes } = vanilla;
  const { subject } = config;
  const how =
    subject.kind === "unlearned"
      ? await howToUnlearn({ text: sizes.text, model: sizes }, { config: { ...config, subject }, sources })
      : undefined;
  const { questions, promptTokens, answerTokens } = work;
  const answering = sizes.memoryToGenerate(questions, promptTokens, promptTokens + answerTokens);
  const needs = [answering, recordingMemory(vanilla, work)].reduce(
    (most, each) => (sum(each) > sum(most) ? each : most),
    how ? unlearningMemory(sizes, how) : [],
  );
  return { dtypeOf: how ? unlearningDTypes(sizes, how) : inF32, needs };
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

function sum(needs: readonly MemoryNeed[]): number {
  return needs.reduce((total, { bytes }) => total + bytes, 0);
}

/** “650 MB” */
export function mega(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;
}

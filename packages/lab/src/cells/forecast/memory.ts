import type { Decoder } from "@lethe/decoder";
import type { FloatDType, MemoryNeed } from "@lethe/tensor";
import { unlearningDTypes, unlearningMemory } from "@lethe/unlearn";
import { howToUnlearn } from "../../subjects/unlearned.ts";
import type { Cell } from "../cell.ts";
import type { Work } from "./forecast.ts";

/** What a cell needs beside both models' weights, for `requireMemory`: what training needs, or answering where that is more. */
export async function memoryOf(vanilla: Decoder, { config, sources }: Cell, work: Work): Promise<MemoryNeed[]> {
  const { subject } = config;
  const training =
    subject.kind === "unlearned"
      ? unlearningMemory(vanilla, await howToUnlearn(vanilla, { config: { ...config, subject }, sources }))
      : [];
  const { questions, promptTokens, answerTokens } = work;
  const answering = vanilla.memoryToGenerate(questions, promptTokens, promptTokens + answerTokens);
  return sum(answering) > sum(training) ? answering : training;
}

/** The dtypes of the weights of the copy that a cell trains, by name. */
export async function copyDTypes(vanilla: Decoder, { config, sources }: Cell): Promise<(name: string) => FloatDType> {
  const { subject } = config;
  if (subject.kind !== "unlearned") return () => "f32";
  return unlearningDTypes(vanilla, await howToUnlearn(vanilla, { config: { ...config, subject }, sources }));
}

function sum(needs: readonly MemoryNeed[]): number {
  return needs.reduce((total, { bytes }) => total + bytes, 0);
}

/** “650 MB” */
export function mega(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;
}

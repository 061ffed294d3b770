import { type AnsweredQuestion, sweepCentres } from "@lethe/unlearn";
import { type Line, LONG } from "./line.ts";
import type { Rehearsal } from "./study.ts";

// What the costs of studies have in common that go through a model's layers, with a stride, on answered questions.

/** Layers that stay at least, so that a curve is seen. */
const LEAST_LAYERS = 8;

/** Questions whose passes are measured first, to see how long they take. */
const FEW = 2;

/** The next larger stride that leaves a curve; null where there is none. */
export function sparserStride(stride: number, depth: number): number | null {
  return sweepCentres(depth, stride + 1).length >= LEAST_LAYERS ? stride + 1 : null;
}

/** Prompts of a rehearsal with made-up answers of the full length. */
export interface Rehearsed {
  readonly questions: readonly AnsweredQuestion[];
  /** Of all of them, padding included. */
  readonly tokens: number;
}

/** Measures rates on a few questions, and on all where that is quick. */
export async function ratesOfQuestions(
  { prompts, answerTokens }: Rehearsal,
  measure: (rehearsed: Rehearsed) => Promise<{ readonly seconds: number; readonly rates: Line }>,
): Promise<Line> {
  const answer = repeated(prompts[0]!, answerTokens);
  const measureFirst = (count: number) => {
    const questions = prompts.slice(0, count).map((prompt) => ({ prompt, answer }));
    return measure({
      questions,
      tokens: count * Math.max(...questions.map(({ prompt }) => prompt.length + answerTokens)),
    });
  };
  const quick = await measureFirst(Math.min(FEW, prompts.length));
  return quick.seconds > LONG ? quick.rates : (await measureFirst(prompts.length)).rates;
}

/** The tokens over and over, up to a length. */
export function repeated(tokens: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => tokens[i % tokens.length]!);
}

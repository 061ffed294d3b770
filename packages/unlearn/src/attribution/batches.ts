import { type Decoder, dependsOnLength, readRope, usualTokens } from "@lethe/decoder";
import { type MemoryNeed, memoryFits, requireMemory } from "@lethe/tensor";
import { packed } from "../data/batches.ts";
import { rowsOfPiece } from "../methods/per-token.ts";
import type { AttributedQuestion } from "./questions.ts";
import { freshTokens, type Run, type RunsOfQuestion, runsOf } from "./runs.ts";

/** Questions that are run together with all their words, and their runs without one word, which go on from the same cache. */
export interface Shared {
  readonly wholes: readonly Run[];
  /** The batches of the other runs. */
  readonly without: readonly (readonly Run[])[];
}

/** How questions are run. */
export interface Batches {
  readonly shared: readonly Shared[];
  /** Runs of which no part can be shared, with and without all words. */
  readonly plain: readonly (readonly Run[])[];
}

/** The columns of a batch of whole sequences. */
export function columnsOf(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ tokens }) => tokens.length));
}

/** The columns of a batch that goes on from a cache: those in the cache, and the new ones. */
export function splitColumnsOf(runs: readonly Run[]): { readonly cached: number; readonly fresh: number } {
  // At least one: a cache of nothing cannot be followed.
  return { cached: Math.max(1, ...runs.map(({ shared }) => shared)), fresh: Math.max(...runs.map(freshTokens)) };
}

/**
 * Plans the batches of questions.
 * @param mask as for {@link runsOf}
 * @param batchTokens tokens of the largest batch, with padding and with those in its cache, unless one run alone has more. Default: by
 *   the adapter, and fewer where they do not fit its memory.
 * @throws {OutOfMemoryError} when the batches do not fit the device
 */
export function planBatches(
  model: Decoder,
  questions: readonly AttributedQuestion[],
  mask: number | null,
  batchTokens: number | undefined,
): Batches {
  const { device, config } = model;
  const rope = readRope(config).rope!;
  const runs = questions.map((question, number) => {
    // With other frequencies for each length, no two runs of a question have a key in common.
    const alone = dependsOnLength(rope, question.asked.tokens.length + question.answer.length);
    return { alone, ...runsOf(question, number, { mask, alone }) };
  });
  let most = batchTokens ?? usualTokens(device);
  let batches = batchesOf(runs, most);
  while (batchTokens === undefined && most > 1 && !memoryFits(device, memoryOf(model, batches))) {
    most = Math.floor(most / 2);
    batches = batchesOf(runs, most);
  }
  const advice = "Take smaller batches (batchTokens), or shorter questions and answers.";
  requireMemory(device, `attributing answers with ${model.label}`, memoryOf(model, batches), advice);
  return batches;
}

function batchesOf(questions: readonly (RunsOfQuestion & { alone: boolean })[], most: number): Batches {
  const byLength = questions.toSorted((a, b) => a.whole.tokens.length - b.whole.tokens.length);
  const groups = packed(
    byLength.filter(({ alone }) => !alone),
    most,
    (group) => columnsOf(group.map(({ whole }) => whole)),
  );
  const plain = byLength.filter(({ alone }) => alone).flatMap(({ whole, without }) => [whole, ...without]);
  return {
    shared: groups.map((group) => ({
      wholes: group.map(({ whole }) => whole),
      without: packed(
        // Runs with as many tokens to compute are padded least.
        group.flatMap(({ without }) => without).toSorted((a, b) => freshTokens(a) - freshTokens(b)),
        most,
        (runs) => splitColumnsOf(runs).cached + splitColumnsOf(runs).fresh,
      ),
    })),
    // A batch has the frequencies of its longest sequence.
    plain: [...new Set(plain.map(({ tokens }) => tokens.length))].flatMap((length) =>
      packed(
        plain.filter(({ tokens }) => tokens.length === length),
        most,
        columnsOf,
      ),
    ),
  };
}

/** The memory of the largest batch. */
function memoryOf(model: Decoder, { shared, plain }: Batches): MemoryNeed[] {
  const pass = (runs: readonly Run[], fresh: number, cached: number): MemoryNeed[] => {
    const { vocab_size: vocabulary } = model.config;
    const rows = runs.reduce((sum, { answer }) => sum + answer.length, 0);
    const bytes = 4 * vocabulary * Math.min(rows, rowsOfPiece(vocabulary));
    return [
      ...model.memoryToGenerate(runs.length, fresh, cached + fresh),
      { part: "activations", name: "logits of answers", bytes },
    ];
  };
  const needs = shared.flatMap(({ wholes, without }) => {
    const whole = pass(wholes, columnsOf(wholes), 0);
    const kept = whole.filter(({ part }) => part === "KV cache");
    const others = without.map((runs) => {
      const { cached, fresh } = splitColumnsOf(runs);
      return [...kept, ...pass(runs, fresh, cached)];
    });
    return [whole, ...others];
  });
  const total = (list: readonly MemoryNeed[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
  const all = [...needs, ...plain.map((runs) => pass(runs, columnsOf(runs), 0))];
  return all.reduce((largest, list) => (total(list) > total(largest) ? list : largest), []);
}

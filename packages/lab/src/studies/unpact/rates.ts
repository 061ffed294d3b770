import { destructiveRate, type KeyTokenRule, leakAtK, type Rate, rateOf, recoveryRate } from "@lethe/unlearn";
import type { Elicited, JudgedQuestion, Prompt } from "./schema.ts";
import { keyWordsOf, meanWhereThere, ruleOf, type UnpactCell } from "./scores.ts";

type Cells = readonly UnpactCell[];
/** Rates are counts of a result alone. */
type Results = readonly Pick<UnpactCell, "result">[];

/** The ways in which every one of these cells asked again, in their order. */
export function promptsOf([first, ...others]: Results): Prompt[] {
  return first!.result.elicited
    .filter((prompt) => others.every((cell) => askedBy(cell, prompt) !== undefined))
    .map(({ kind, name, control }) => ({ kind, name, control }));
}

/** What came of one way to ask again. */
export function askedBy({ result }: Results[number], { kind, name, control }: Prompt): Elicited | undefined {
  return result.elicited.find((other) => other.kind === kind && other.name === name && other.control === control);
}

/** The places of the attributed target questions that were answered right before unlearning and wrong after it. */
export function forgottenOf({ result: { attributed, judged } }: Results[number]): number[] {
  const asked = judged.target.slice(0, attributed.target.length);
  return asked.flatMap(({ before, after }, place) => (before && !after ? [place] : []));
}

/** The recovery rate of one way to ask again, over the forgotten questions of all these cells that were asked so. */
export function recoveryOf(cells: Results, prompt: Prompt): Rate {
  const asked = cells.flatMap((cell) => {
    const verdicts = askedBy(cell, prompt)?.subject ?? [];
    return cell.result.judged.target.flatMap(({ before, after }, place) => {
      const elicited = verdicts[place] ?? null;
      return elicited === null ? [] : [{ before, after, elicited }];
    });
  });
  return recoveryRate({
    before: asked.map(({ before }) => before),
    after: asked.map(({ after }) => after),
    elicited: asked.map(({ elicited }) => elicited),
  });
}

/** How often the vanilla model itself still answers right when it is asked so, of the questions that it answers right without. */
export function keptOf(cells: Results, prompt: Prompt): Rate {
  const asked = cells.flatMap((cell) => (askedBy(cell, prompt)?.vanilla ?? []).filter((right) => right !== null));
  return rateOf(asked.filter(Boolean).length, asked.length);
}

/** The destructive rate, over the unrelated questions of all these cells. */
export function destructiveOf(cells: Results): Rate {
  return lostOf(cells.flatMap(({ result }) => result.judged.unrelated));
}

/** The share of the attributed target questions that were forgotten, of those that were answered right before. */
export function forgottenShare(cells: Results): Rate {
  return lostOf(
    cells.flatMap(({ result: { attributed, judged } }) => judged.target.slice(0, attributed.target.length)),
  );
}

/** Of the answers that were right before, the share that is wrong after. */
function lostOf(questions: readonly JudgedQuestion[]): Rate {
  return destructiveRate({
    before: questions.map(({ before }) => before),
    after: questions.map(({ after }) => after),
  });
}

/** leak@k: the mean over forgotten questions, seeds and then concepts; null where no answers were drawn, or fewer than k. */
export function leakOf(cells: Cells, k: number): number | null {
  return meanWhereThere(cells, (cell) => leaksOf(cell, k));
}

/** leak@k of each forgotten question of a cell; none where no answers were drawn, or fewer than k. */
export function leaksOf(cell: Results[number], k: number): number[] {
  const { samples, right } = cell.result.drawn;
  if (samples < k) return [];
  return forgottenOf(cell).flatMap((place) => {
    const count = right[place] ?? null;
    return count === null ? [] : [leakAtK(samples, count, k)];
  });
}

/**
 * The recovery rate by the first template with the key words of another rule, over the forgotten questions that have such words; its rate is
 * null where the cells were not swept with it.
 */
export function sweptRecoveryOf(cells: Cells, rule: Pick<Required<KeyTokenRule>, "alpha" | "beta">): Rate {
  const verdicts = cells.flatMap((cell) => {
    const words = keyWordsOf(cell, "target", { ...ruleOf(cell), ...rule });
    return forgottenOf(cell).flatMap((place) => {
      const asked = cell.result.swept[place]!.find((other) => other.words.join() === words[place]!.join());
      return asked ? [asked.right] : [];
    });
  });
  return rateOf(verdicts.filter(Boolean).length, verdicts.length);
}

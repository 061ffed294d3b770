import { type KeyTokenRule, keyTokens, type Tracked, track } from "@lethe/unlearn";
import { mean, meanOfCells } from "../../report/panels.ts";
import type { StudyCell } from "../study.ts";
import type { AnswerOf, UnpactOptions } from "./options.ts";
import type { AttributedWords, MeasuredAttribution, UnpactResult } from "./schema.ts";

/** A cell with the unPact study's measurements. */
export type UnpactCell = StudyCell<UnpactOptions, UnpactResult>;

/** The questions about the concept, or those about other things. */
export type QuestionKind = "target" | "unrelated";

export const QUESTION_KINDS: readonly QuestionKind[] = ["target", "unrelated"];

/** α, β and N of a cell's key words. */
export function ruleOf({ options: { alpha, beta, normalise } }: Pick<UnpactCell, "options">): Required<KeyTokenRule> {
  return { alpha, beta, normalise };
}

/** What the words contribute in one of the models; null where it was not measured, or there is no answer. */
export function attributionOf(
  words: AttributedWords,
  model: "vanilla" | "subject",
  answer: AnswerOf,
): MeasuredAttribution | null {
  // The vanilla model's own answer is the vanilla answer.
  const of = model === "vanilla" && answer === "own" ? "vanilla" : answer;
  return words[model][of] ?? null;
}

/** What the words of a question contribute in the vanilla model and in the subject. */
export interface Contributions {
  readonly words: readonly string[];
  readonly before: MeasuredAttribution;
  readonly after: MeasuredAttribution;
}

/** The questions whose words' contributions to an answer are known in both models. */
export function contributionsOf(
  { result }: Pick<UnpactCell, "result">,
  kind: QuestionKind,
  answer: AnswerOf,
): Contributions[] {
  return result.attributed[kind].flatMap((words) => {
    const [before, after] = [attributionOf(words, "vanilla", answer), attributionOf(words, "subject", answer)];
    return before && after ? [{ words: words.words, before, after }] : [];
  });
}

/** How far the contributions to an answer are still the vanilla model's, question by question. */
export function trackedOf(cell: UnpactCell, kind: QuestionKind, answer: AnswerOf, rule = ruleOf(cell)): Tracked[] {
  return contributionsOf(cell, kind, answer).map(({ before, after }) =>
    track(before.contributions, after.contributions, rule),
  );
}

/** How far the contributions are still the vanilla model's before training and after each of its epochs, where that was tracked; else none. */
export function trackedByEpoch(cell: UnpactCell, kind: QuestionKind): (Tracked & { readonly question: number })[][] {
  if (cell.result.epochs.length === 0) return [];
  const words = cell.result.attributed[kind];
  const of = (model: "vanilla" | "subject") => words.map((each) => attributionOf(each, model, keyAnswerOf(cell)));
  const before = of("vanilla");
  return [before, ...cell.result.epochs.map((epoch) => epoch[kind]), of("subject")].map((after) =>
    after.flatMap((own, question) => {
      const vanilla = before[question];
      return own && vanilla ? [{ question, ...track(vanilla.contributions, own.contributions, ruleOf(cell)) }] : [];
    }),
  );
}

/** One of the tracked numbers: the mean over questions, seeds and then concepts, of those that have it; null where none has. */
export function meanTracked(
  cells: readonly UnpactCell[],
  kind: QuestionKind,
  answer: AnswerOf,
  field: keyof Tracked,
): number | null {
  return meanWhereThere(cells, (cell) => trackedOf(cell, kind, answer).map((tracked) => tracked[field]));
}

/** The mean over a cell's values, seeds and then concepts, of those that are there; null where none is. */
export function meanWhereThere(
  cells: readonly UnpactCell[],
  valuesOf: (cell: UnpactCell) => readonly (number | null)[],
): number | null {
  const means = new Map(
    cells.flatMap((cell) => {
      const there = valuesOf(cell).filter((value) => value !== null);
      return there.length > 0 ? [[cell, mean(there)] as const] : [];
    }),
  );
  return means.size > 0 ? meanOfCells([...means.keys()], (cell) => [means.get(cell)!])[0]! : null;
}

/** The answer for which the vanilla model's key words are: the first of those that are scored. */
export function keyAnswerOf({ options }: Pick<UnpactCell, "options">): AnswerOf {
  return options.answers[0]!;
}

/** The places of the key words of a model, the vanilla one's by default, for each attributed question. */
export function keyWordsOf(
  cell: UnpactCell,
  kind: QuestionKind,
  rule = ruleOf(cell),
  model: "vanilla" | "subject" = "vanilla",
): number[][] {
  return cell.result.attributed[kind].map((words) => {
    const measured = attributionOf(words, model, keyAnswerOf(cell));
    return measured ? keyTokens(measured.contributions, rule) : [];
  });
}

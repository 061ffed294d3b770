import { csvOfCells } from "../../report/csv.ts";
import { forgottenOf } from "./rates.ts";
import { attributionOf, keyWordsOf, QUESTION_KINDS, trackedByEpoch, type UnpactCell } from "./scores.ts";

/**
 * `contributions.csv`: what each word contributes to each answer that is scored, in the vanilla model and in the measured one, and whether it is a
 * key word of the vanilla model.
 */
export function contributionsCsv(cells: readonly UnpactCell[]): string {
  const columns = ["questions", "question", "answer", "word", "text", "vanilla", "subject", "key"];
  return csvOfCells(cells, columns, (cell) =>
    QUESTION_KINDS.flatMap((kind) => {
      const key = keyWordsOf(cell, kind);
      return cell.result.attributed[kind].flatMap((words, question) =>
        cell.options.answers.flatMap((answer) => {
          const [vanilla, subject] = (["vanilla", "subject"] as const).map(
            (model) => attributionOf(words, model, answer)?.contributions,
          );
          return words.words.map((text, word) => {
            const own = [vanilla?.[word] ?? null, subject?.[word] ?? null];
            return [kind, question, answer, word, text, ...own, key[question]!.includes(word)];
          });
        }),
      );
    }),
  );
}

/** `tracking.csv`: how far the contributions to each attributed question are still the vanilla model's, before training and after each epoch. */
export function trackingCsv(cells: readonly UnpactCell[]): string {
  const columns = ["questions", "epoch", "question", "spearman", "jaccard", "shareLeft"];
  return csvOfCells(cells, columns, (cell) =>
    QUESTION_KINDS.flatMap((kind) =>
      trackedByEpoch(cell, kind).flatMap((tracked, epoch) =>
        tracked.map(({ question, spearman, jaccard, share }) => {
          return [kind, epoch, question, spearman ?? null, jaccard ?? null, share ?? null];
        }),
      ),
    ),
  );
}

/** `elicited.csv`: each question with each way to ask again, and whether the answers are right. Empty where it was not asked so. */
export function elicitedCsv(cells: readonly UnpactCell[]): string {
  const columns = ["question", "text", "kind", "prompt", "control", "before", "after", "vanilla", "subject"];
  return csvOfCells(cells, columns, ({ result: { attributed, elicited, judged } }) =>
    attributed.target.flatMap((_, place) => {
      const { question, before, after } = judged.target[place]!;
      return elicited.map(({ kind, name, control, vanilla, subject }) => {
        return [place, question, kind, name, control, before, after, vanilla[place] ?? null, subject[place] ?? null];
      });
    }),
  );
}

/** `judged.csv`: every question that is compared, right or wrong before and after, and how many drawn answers are right. */
export function judgedCsv(cells: readonly UnpactCell[]): string {
  const columns = ["questions", "question", "text", "judgedBy", "before", "after", "drawn", "drawnRight"];
  return csvOfCells(cells, columns, (cell) =>
    QUESTION_KINDS.flatMap((kind) =>
      cell.result.judged[kind].map(({ question, expected, before, after }, place) => {
        const { samples, right } = cell.result.drawn;
        const drawn = kind === "target" && forgottenOf(cell).includes(place) ? (right[place] ?? null) : null;
        const draws = drawn === null ? [null, null] : [samples, drawn];
        return [kind, place, question, expected ? "expected answer" : "vanilla answer", before, after, ...draws];
      }),
    ),
  );
}

/** `collapse.csv`: the log-probability and probability of each group of tokens in both models, as sums over its tokens. */
export function collapseCsv(cells: readonly UnpactCell[]): string {
  const columns = [
    "questions",
    "class",
    "from",
    "to",
    "tokens",
    "vanillaLogProb",
    "subjectLogProb",
    "vanillaProbability",
    "subjectProbability",
  ];
  return csvOfCells(cells, columns, ({ result }) =>
    QUESTION_KINDS.flatMap((kind) =>
      result.collapse[kind].map(({ class: of, from, to, count, vanilla, subject }) => {
        const logProbs = [vanilla.logProb, subject.logProb];
        return [kind, of, from, to ?? null, count, ...logProbs, vanilla.probability, subject.probability];
      }),
    ),
  );
}

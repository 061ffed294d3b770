import type { Tracked } from "@lethe/unlearn";
import type { Claim } from "../../../report/findings/claim.ts";
import { meanOfLists } from "../../../report/panels.ts";
import { score } from "../../../report/tables.ts";
import { keyAnswerOf, trackedOf, type UnpactCell } from "../scores.ts";
import { ABSTRACT, NOT_KNOWN } from "./texts.ts";

/** Key words that are kept to this share or less were disrupted. */
const DISRUPTED = 0.5;

/** The first finding: unlearning works by disrupting the focus on key words. */
export const focus: Claim<UnpactCell> = {
  id: "unpact.focus",
  claim: "Unlearning disrupts the focus on key words",
  source: ABSTRACT,
  measure: "Jaccard's index of the key words of questions about the concept, before and after unlearning",
  paper: NOT_KNOWN,
  criterion: `the mean is at most ${DISRUPTED}, and lower than on other questions`,
  beyond: "lower",
  on(cells) {
    // A bootstrap draws a thousand times.
    const kept = new Map(
      cells.map((cell) => [
        cell,
        {
          target: trackedOf(cell, "target", keyAnswerOf(cell)),
          unrelated: trackedOf(cell, "unrelated", keyAnswerOf(cell)),
        },
      ]),
    );
    return {
      questions: Math.min(...cells.map(({ result }) => result.attributed.target.length)),
      numbers(some, drawn) {
        const sums = some.map((cell) => {
          const { target, unrelated } = kept.get(cell)!;
          const asked = drawn ? drawn.flatMap((question) => target[question] ?? []) : target;
          return [
            ...sumOf(asked, "jaccard"),
            ...sumOf(unrelated, "jaccard"),
            ...sumOf(asked, "spearman"),
            ...sumOf(asked, "share"),
          ];
        });
        return meanOfLists(sums);
      },
      judge(numbers) {
        const [target, unrelated, spearman, share] = [0, 2, 4, 6].map((i) => numbers[i]! / numbers[i + 1]!);
        if (Number.isNaN(target)) return "no question about the concept has key words";
        if (Number.isNaN(unrelated)) return "no other question has key words";
        return {
          value: target!,
          holds: target! <= DISRUPTED && target! < unrelated!,
          also:
            `other questions ${score(unrelated!)}; about the concept Spearman ${said(spearman!)}, ` +
            `share of positive contribution left ${said(share!)}`,
        };
      },
    };
  },
};

function said(value: number): string {
  return Number.isNaN(value) ? "not defined" : score(value);
}

/** The sum of one tracked number over the questions that have it, and their count. */
function sumOf(tracked: readonly Tracked[], field: keyof Tracked): [sum: number, count: number] {
  const there = tracked.map((each) => each[field]).filter((value) => value !== null);
  return [there.reduce((sum, value) => sum + value, 0), there.length];
}

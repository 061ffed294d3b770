import { spearman } from "@lethe/unlearn";
import { mean } from "../../report/panels.ts";
import { lostOf } from "./collapse-scores.ts";
import { destructiveOf, forgottenShare, leaksOf, promptsOf, recoveryOf } from "./rates.ts";
import type { UnpactResult } from "./schema.ts";
import { contributionsOf, QUESTION_KINDS, type QuestionKind } from "./scores.ts";

/** Flat numbers of a result, those that need no choice of α and β. What has no value is left out. */
export function metrics(result: UnpactResult): Record<string, number> {
  const cells = [{ result }];
  const rates = promptsOf(cells).map((prompt): [string, number | null] => {
    const control = { emphasis: "_other_words", neutral: "", context: "_another_concept" }[prompt.kind];
    return [`unpact_recovery_${prompt.name}${prompt.control ? control : ""}`, recoveryOf(cells, prompt).rate];
  });
  const { samples } = result.drawn;
  const leaks = (k: number) => meanOrNull(k > 0 ? leaksOf({ result }, k) : []);
  const all: [string, number | null][] = [
    ...QUESTION_KINDS.map((kind): [string, number | null] => [`unpact_spearman_${kind}`, meanSpearman(result, kind)]),
    ["unpact_forgotten", forgottenShare(cells).rate],
    ...rates,
    ["unpact_destructive", destructiveOf(cells).rate],
    [`unpact_leak_at_1`, leaks(Math.min(1, samples))],
    [`unpact_leak_at_${samples}`, leaks(samples)],
    ...(["content", "common"] as const).map((of): [string, number | null] => [
      `unpact_lost_${of}`,
      lostOf({ result }, "unrelated", (group) => group.class === of).drop,
    ]),
  ];
  return Object.fromEntries(all.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** The mean rank correlation of contributions to the vanilla answer, before and after. */
function meanSpearman(result: UnpactResult, kind: QuestionKind): number | null {
  const each = contributionsOf({ result }, kind, "vanilla").map(({ before, after }) =>
    spearman(before.contributions, after.contributions),
  );
  return meanOrNull(each.filter((rho) => rho !== null));
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length > 0 ? mean(values) : null;
}

import { type KeyTokenRule, NORMALISATIONS, sweepKeyTokens } from "@lethe/unlearn";
import { type Html, html } from "../../../report/html.ts";
import { byConcept, mean, overallPanels, type Panel } from "../../../report/panels.ts";
import { score, table } from "../../../report/tables.ts";
import { sweptRecoveryOf } from "../rates.ts";
import { contributionsOf, keyAnswerOf, meanWhereThere, ruleOf, trackedOf, type UnpactCell } from "../scores.ts";
import { rateText, scoreOrNone } from "../words.ts";

type Cells = readonly UnpactCell[];
type Rule = Required<KeyTokenRule>;

/** Values of α and β that are tried beside the study's own. */
const ALPHAS = [0.1, 0.2, 0.3, 0.5];
const BETAS = [2, 4, 6];

/** What other parameters of the key words would have given: a line on the range, and folded, every choice. */
export function rules(cells: Cells): Html {
  const panels = overallPanels(cells);
  const { alpha, beta, normalise } = ruleOf(cells[0]!);
  return html`<p>The paper's values of α, β and N are not known to us. Here α is ${alpha}, β ${beta} and N “${normalise}”. ${panels.map(rangeOf)}</p>
${panels.map(
  (panel) => html`<details><summary>Every choice: ${panel.title}</summary>
${choices(panel)}
<p class="quiet">Means over questions, seeds, methods and concepts. Key words: how many a question about the concept has in the vanilla model, and Jaccard's index with
those of the study's own choice. Kept: Jaccard's index before and after unlearning.${
    panel.cells.some(isSwept)
      ? " Recovered: by the first emphasis, rate [95% interval], questions."
      : " Recovery with other key words was not measured: the study's option sweep asks for it."
  }</p></details>\n`,
)}`;
}

function isSwept({ result }: UnpactCell): boolean {
  return result.swept.some((sets) => sets.length > 0);
}

/** The study's own choice first, then α and β on a grid with its N, those that were swept among them, then the other N. */
function rulesFor(cells: Cells, own: Rule): Rule[] {
  const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
  const [alphas, betas] = [
    ascending([...ALPHAS, ...cells.flatMap(({ options }) => options.sweep.alpha)]),
    ascending([...BETAS, ...cells.flatMap(({ options }) => options.sweep.beta)]),
  ];
  const grid = betas.flatMap((beta) => alphas.map((alpha) => ({ ...own, alpha, beta })));
  const others = NORMALISATIONS.map((normalise) => ({ ...own, normalise }));
  const keyOf = ({ alpha, beta, normalise }: Rule) => JSON.stringify([alpha, beta, normalise]);
  const all = new Map([own, ...grid, ...others].map((rule) => [keyOf(rule), rule]));
  all.set(keyOf(own), own);
  return [...all.values()];
}

/** Jaccard's index before and after, with a rule. */
function kept(cells: Cells, kind: "target" | "unrelated", rule: Rule): number | null {
  return meanWhereThere(cells, (cell) => trackedOf(cell, kind, keyAnswerOf(cell), rule).map(({ jaccard }) => jaccard));
}

function rangeOf({ title, cells }: Panel<UnpactCell>): string {
  const range = (kind: "target" | "unrelated") => {
    const all = rulesFor(cells, ruleOf(cells[0]!))
      .map((rule) => kept(cells, kind, rule))
      .filter((value) => value !== null);
    return all.length > 0 ? `${score(Math.min(...all))} to ${score(Math.max(...all))}` : "not defined";
  };
  return (
    ` Over all choices below, the mean Jaccard's index of key words before and after is ${range("target")} on questions about the concept ` +
    `and ${range("unrelated")} on others (${title}).`
  );
}

function choices({ title, cells }: Panel<UnpactCell>): Html {
  const swept = cells.filter(isSwept);
  // All cells of a concept have the same vanilla model.
  const vanilla = byConcept(cells).flatMap(([cell]) =>
    contributionsOf(cell!, "target", keyAnswerOf(cell!)).map(({ before }) => before.contributions),
  );
  const own = ruleOf(cells[0]!);
  return table(
    `Choices of α, β and N: ${title}`,
    [
      "α, β, N",
      "key words",
      "as the study's",
      "kept: concept",
      "kept: others",
      ...(swept.length > 0 ? ["recovered"] : []),
    ],
    rulesFor(cells, own).map((rule) => {
      const { alpha, beta, normalise } = rule;
      const [choice] = sweepKeyTokens(vanilla, { alpha: [alpha], beta: [beta], normalise: [normalise] }, own);
      const alike = choice!.jaccard.filter((value) => value !== null);
      return [
        `${alpha}, ${beta}, ${normalise}${rule === own ? " (the study's)" : ""}`,
        choice!.sizes.length > 0 ? mean(choice!.sizes).toFixed(1) : "–",
        scoreOrNone(alike.length > 0 ? mean(alike) : null),
        scoreOrNone(kept(cells, "target", rule)),
        scoreOrNone(kept(cells, "unrelated", rule)),
        ...(swept.length > 0 ? [normalise === own.normalise ? rateText(sweptRecoveryOf(swept, rule)) : "–"] : []),
      ];
    }),
  );
}

import { rankAgreement } from "@lethe/unlearn";
import { type Html, html } from "../../../report/html.ts";
import { byConcept, mean } from "../../../report/panels.ts";
import type { StudySections } from "../../../report/section.ts";
import { table } from "../../../report/tables.ts";
import { attributionOf, type UnpactCell } from "../scores.ts";
import { attributionName, scoreOrNone } from "../words.ts";

type Cells = readonly UnpactCell[];

/** How far leaving words out agrees with other attributions. None where none was computed. */
export function agreement(cells: Cells): StudySections["sections"] {
  const compared = cells.filter(({ result }) => result.compared.length > 0);
  if (compared.length === 0) return [];
  const models = [...new Set(compared.map(({ config }) => config.model.name))];
  const body = html`<p>Spearman's rank correlation of what different attributions say of the words of a prompt, in the vanilla model and for its own answer: the mean
over the first questions about each concept. Leaving words out is what unPact does. Gradient × input and integrated gradients come
from the gradient at the embeddings, attention is the mean weight on a word over layers and heads. No two of them measure the same thing.</p>
${models.map((model) =>
  matrix(
    model,
    compared.filter(({ config }) => config.model.name === model),
  ),
)}`;
  return [{ title: "Do other attributions agree?", body }];
}

/** The scores of every attribution for each question. All cells of a concept have the same vanilla model, so each concept counts once. */
function agreements(cells: Cells) {
  return byConcept(cells).flatMap(([cell]) => {
    const { attributed, compared } = cell!.result;
    return compared[0]!.scores.map((_, place) => {
      const left = attributionOf(attributed.target[place]!, "vanilla", "own")!.contributions;
      const others = compared.map(({ attribution, scores }) => [attribution, scores[place]!] as const);
      return rankAgreement<string>({ "leave-one-out": left, ...Object.fromEntries(others) });
    });
  });
}

function matrix(model: string, cells: Cells): Html {
  const each = agreements(cells);
  const names = ["leave-one-out", ...cells[0]!.result.compared.map(({ attribution }) => attribution)] as const;
  return table(
    `Agreement of attributions: ${model}`,
    [`${model}, ${each.length} question${each.length > 1 ? "s" : ""}`, ...names.map(attributionName)],
    names.map((one) => [
      attributionName(one),
      ...names.map((other) => {
        const found = each.map((all) => all[one]?.[other] ?? null).filter((rho) => rho !== null);
        return scoreOrNone(found.length > 0 ? mean(found) : null);
      }),
    ]),
  );
}

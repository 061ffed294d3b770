import { TOKEN_CLASSES } from "@lethe/unlearn";
import { type Html, html } from "../../../report/html.ts";
import { panelsOf } from "../../../report/panels.ts";
import { figure, score, table } from "../../../report/tables.ts";
import { bandsOf, type GroupChoice, meanLost } from "../collapse-scores.ts";
import { QUESTION_KINDS, type QuestionKind, type UnpactCell } from "../scores.ts";
import { bandName, NONE, titleOf } from "../words.ts";

type Cells = readonly UnpactCell[];

/** What tokens lose by their class, and folded, by their frequency. */
export function collapse(cells: Cells, lost: string): Html {
  return html`${figure(
    "What is taken from content words and from common ones",
    lost,
    html`Both models read each question with the vanilla model's answer. The mean log-probability that a token of the question's and the answer's words
loses: of content words, of common words that any text needs (“what”, “do”, “get”), and of tokens without a letter. Where common words lose
as content words do, unlearning penalised all tokens alike. Lines: 95% of the bootstrap's draws over concepts, where there are several.`,
  )}
${QUESTION_KINDS.map((kind) => byClass(cells, kind))}
<p class="quiet">Lost nats of a token, and in brackets the share that is left of its mean probability. The sums are in <code>collapse.csv</code>.</p>
<details><summary>The same by how often a token occurs</summary>
${QUESTION_KINDS.map((kind) => byBand(cells, kind))}
<p class="quiet">How often it occurs in these texts themselves, not in what the model was trained on.</p></details>`;
}

function byClass(cells: Cells, kind: QuestionKind): Html {
  const groups = TOKEN_CLASSES.map((of) => ({
    title: titleOf(of),
    chosen: ({ class: own }: { class: string }) => own === of,
  }));
  return lostTable(cells, kind, "class", groups);
}

function byBand(cells: Cells, kind: QuestionKind): Html {
  const groups = bandsOf(cells, kind).map((band) => {
    return { title: bandName(band), chosen: ({ from }: { from: number }) => from === band.from };
  });
  return lostTable(cells, kind, "frequency", groups);
}

function lostTable(
  cells: Cells,
  kind: QuestionKind,
  by: string,
  groups: readonly { readonly title: string; readonly chosen: GroupChoice }[],
): Html {
  const about = kind === "target" ? "about the concept" : "other questions";
  return table(
    `Lost log-probability by ${by}: ${about}`,
    [about, ...groups.map(({ title }) => title)],
    panelsOf(cells).map(({ title, cells: own }) => [
      title,
      ...groups.map(({ chosen }) => {
        const [drop, kept] = (["drop", "kept"] as const).map((field) => meanLost(own, kind, chosen, field));
        return drop === null || kept === null ? NONE : `${score(drop!)} (${Math.round(100 * kept!)}%)`;
      }),
    ]),
  );
}

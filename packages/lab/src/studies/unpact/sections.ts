import { standAlone } from "../../report/figures/colours.ts";
import { renderFigure } from "../../report/figures/render.ts";
import { panelsOf, withoutConcepts } from "../../report/panels.ts";
import type { StudySections } from "../../report/section.ts";
import { isControl } from "../../subjects/controls.ts";
import { collapseCsv, contributionsCsv, elicitedCsv, judgedCsv } from "./csv.ts";
import { collapseFigure, ratesFigure } from "./figures.ts";
import { limits } from "./limits.ts";
import type { UnpactCell } from "./scores.ts";
import { agreement } from "./sections/agreement.ts";
import { collapse } from "./sections/collapse.ts";
import { drawnAnswers } from "./sections/drawn.ts";
import { byEpoch } from "./sections/epochs.ts";
import { prompts } from "./sections/prompts.ts";
import { recovery } from "./sections/recovery.ts";
import { rules } from "./sections/rules.ts";
import { summary } from "./sections/summary.ts";
import { tracking } from "./sections/tracking.ts";

/**
 * The unPact study's part of a report. Its files are `contributions.csv`, `elicited.csv`, `judged.csv`, `collapse.csv`,
 * `figures/unpact-rates.svg` and `figures/unpact-collapse.svg`; and, where it was tracked, `tracking.csv` and `figures/unpact-epochs.svg`.
 */
export async function sections(cells: readonly UnpactCell[]): Promise<StudySections> {
  // Controls are marks beside those of what they control.
  const unlearned = cells.filter((cell) => !isControl(cell));
  const panels = withoutConcepts(panelsOf(unlearned.length > 0 ? unlearned : cells));
  const rates = await renderFigure(ratesFigure(cells), panels);
  const epochs = await byEpoch(cells);
  const lost = await renderFigure(collapseFigure(cells), panels);
  return {
    summary: summary(cells),
    sections: [
      { title: "Which words of the prompt count", body: prompts(cells) },
      { title: "What is left of their contributions", body: tracking(cells) },
      ...epochs.sections,
      { title: "Forgotten answers, asked for again", body: recovery(cells, rates) },
      ...drawnAnswers(cells),
      { title: "What is taken from content words and from common ones", body: collapse(cells, lost) },
      { title: "How much α and β matter", body: rules(cells) },
      ...agreement(cells),
    ],
    limits: limits(cells),
    files: {
      "contributions.csv": contributionsCsv(cells),
      "elicited.csv": elicitedCsv(cells),
      "judged.csv": judgedCsv(cells),
      "collapse.csv": collapseCsv(cells),
      "figures/unpact-rates.svg": standAlone(rates),
      "figures/unpact-collapse.svg": standAlone(lost),
      ...epochs.files,
    },
  };
}

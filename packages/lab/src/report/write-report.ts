import { join } from "node:path";
import { writeWhole } from "../experiment/write-whole.ts";
import { krsCsv } from "./csv.ts";
import { bleuFigure } from "./figures/bleu.ts";
import { krsFigure } from "./figures/krs.ts";
import { lossFigure } from "./figures/loss.ts";
import { renderFigure } from "./figures/render.ts";
import { lightTheme, pageTheme, type Theme } from "./figures/theme.ts";
import { type PageFigures, reportPage } from "./page/page.ts";
import { PAPER_KRS, type Panel, panelsOf, RELEASED_KRS } from "./panels.ts";
import { readResults } from "./results.ts";

export interface WrittenReport {
  /** Where the page is. */
  readonly page: string;
  /** One line for each result file that could not be used. */
  readonly skipped: readonly string[];
}

/**
 * Writes the report of all result files in `<out>/cells/`: `krs.csv`, `figures/*.svg` and `report.html`. The same results always
 * give the same files.
 * @throws ExperimentError when there is no usable result
 */
export async function writeReport(out: string): Promise<WrittenReport> {
  const results = await readResults(out);
  const panels = panelsOf(results.cells);
  const files = await drawFigures(panels, lightTheme);
  for (const [name, svg] of Object.entries(files)) {
    await writeWhole(
      join(out, "figures", `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.svg`),
      svg,
    );
  }
  await writeWhole(join(out, "krs.csv"), krsCsv(results.cells));
  const page = join(out, "report.html");
  await writeWhole(page, reportPage(results, panels, await drawFigures(panels, pageTheme)));
  return { page, skipped: results.skipped };
}

async function drawFigures(panels: readonly Panel[], theme: Theme): Promise<PageFigures> {
  return {
    krs: await renderFigure(krsFigure("krs", panels, PAPER_KRS, theme), theme),
    krsReleased: await renderFigure(krsFigure("krs-released", panels, RELEASED_KRS, theme), theme),
    bleu: await renderFigure(bleuFigure("bleu", panels, theme), theme),
    loss: await renderFigure(lossFigure("loss", panels, theme), theme),
  };
}

import { join } from "node:path";
import { studyCells } from "../cells/cell.ts";
import { writeInto } from "../cells/out-folder.ts";
import type { Results } from "../cells/results.ts";
import { renderReport } from "../report/page.ts";
import type { Study } from "../studies/study.ts";

/**
 * Writes the report of an experiment into its folder: `report.html`, `figures/*.svg` and the studies' files. The same results
 * always give the same files.
 * @returns the path of the page
 */
export async function writeReport(
  out: string,
  { cells, adapters }: Pick<Results, "cells" | "adapters">,
  studies: readonly Study[],
): Promise<string> {
  const parts = [];
  for (const study of studies) {
    const measured = studyCells(cells, study);
    if (measured.length > 0) parts.push({ title: study.title, ...(await study.sections(measured)) });
  }
  const files = await renderReport({ cells, adapters, studies: parts });
  for (const [name, text] of Object.entries(files)) await writeInto(out, name, text);
  return join(out, "report.html");
}

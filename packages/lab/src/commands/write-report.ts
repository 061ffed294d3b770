import { join } from "node:path";
import { studyCells } from "../cells/cell.ts";
import { writeInto } from "../cells/out-folder.ts";
import type { Results } from "../cells/results.ts";
import { summaries } from "../cells/summary.ts";
import { toPng } from "../report/figures/png.ts";
import { globalDamage } from "../report/findings/damage.ts";
import type { Finding } from "../report/findings/finding.ts";
import { findingsOf } from "../report/findings/judge.ts";
import { renderReport } from "../report/page.ts";
import type { Study } from "../studies/study.ts";

/** A report that was written. */
export interface WrittenReport {
  /** The path of the page. */
  readonly page: string;
  readonly findings: readonly Finding[];
}

/**
 * Writes the report of an experiment into its folder: `report.html`, `findings.json` and `.csv`, `figures/*.svg` and `.png`, `data/*.csv`,
 * `summaries/*_SUMMARY.json` and the studies' files. The same results always give the same files.
 * @param command makes the results again, as it is typed
 */
export async function writeReport(
  out: string,
  { cells, adapters }: Pick<Results, "cells" | "adapters">,
  studies: readonly Study[],
  command?: string,
): Promise<WrittenReport> {
  const parts = [];
  const findings = [];
  for (const study of studies) {
    const measured = studyCells(cells, study);
    if (measured.length === 0) continue;
    parts.push({ title: study.title, ...(await study.sections(measured)) });
    findings.push(...(study.findings?.(measured) ?? []));
  }
  findings.push(...findingsOf([globalDamage], cells));
  const files = await renderReport({ cells, adapters, studies: parts, findings, command });
  const all = { ...files, ...summaries(cells, studies) };
  for (const [name, text] of Object.entries(all)) await writeInto(out, name, text);
  for (const [name, svg] of Object.entries(files))
    if (name.endsWith(".svg")) await writeInto(out, name.replace(/svg$/, "png"), toPng(svg));
  return { page: join(out, "report.html"), findings };
}

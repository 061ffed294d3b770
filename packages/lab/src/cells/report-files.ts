import { globalDamage } from "../report/findings/damage.ts";
import type { Finding } from "../report/findings/finding.ts";
import { findingsOf } from "../report/findings/judge.ts";
import { renderReport } from "../report/page.ts";
import type { Study } from "../studies/study.ts";
import { studyCells } from "./cell.ts";
import type { Results } from "./results.ts";
import { summaries } from "./summary.ts";

/** A report as it is written or saved. */
export interface ReportFiles {
  /** The text of each file by its path from the report's folder; the page is `report.html`. */
  readonly files: Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
}

/** What a report is made from. */
export interface ReportedResults extends Pick<Results, "cells" | "adapters"> {
  /** Ids of cells of the experiment that have no result yet. Default: none. */
  readonly missing?: readonly string[];
}

/**
 * The report of an experiment: `report.html`, `findings.json` and `.csv`, `figures/*.svg`, `data/*.csv`, `summaries/*_SUMMARY.json` and the
 * studies' files. The same results always give the same texts.
 * @param command makes the results again, as it is typed
 */
export async function reportFiles(
  { cells, adapters, missing = [] }: ReportedResults,
  studies: readonly Study[],
  command?: string,
): Promise<ReportFiles> {
  const parts = [];
  const findings = [];
  for (const study of studies) {
    const measured = studyCells(cells, study);
    if (measured.length === 0) continue;
    parts.push({ title: study.title, ...(await study.sections(measured)) });
    findings.push(...(study.findings?.(measured) ?? []));
  }
  findings.push(...findingsOf([globalDamage], cells));
  const report = await renderReport({ cells, adapters, missing, studies: parts, findings, command });
  return { files: { ...report, ...summaries(cells, studies) }, findings };
}

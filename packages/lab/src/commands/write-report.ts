import { join } from "node:path";
import { writeInto } from "../cells/out-folder.ts";
import { type ReportedResults, reportFiles } from "../cells/report-files.ts";
import { toPng } from "../report/figures/png.ts";
import type { Finding } from "../report/findings/finding.ts";
import type { Study } from "../studies/study.ts";

/** A report that was written. */
export interface WrittenReport {
  /** The path of the page. */
  readonly page: string;
  readonly findings: readonly Finding[];
}

/**
 * Writes the report of an experiment into its folder: the files of {@link reportFiles}, and each figure as a PNG picture.
 * @param command makes the results again, as it is typed
 */
export async function writeReport(
  out: string,
  results: ReportedResults,
  studies: readonly Study[],
  command?: string,
): Promise<WrittenReport> {
  const { files, findings } = await reportFiles(results, studies, command);
  for (const [name, text] of Object.entries(files)) await writeInto(out, name, text);
  for (const [name, svg] of Object.entries(files))
    if (name.endsWith(".svg")) await writeInto(out, name.replace(/svg$/, "png"), toPng(svg));
  return { page: join(out, "report.html"), findings };
}

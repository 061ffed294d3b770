import type { Cell } from "../../cells/cell.ts";
import { FolderStore } from "../../cells/folder-store.ts";
import type { ReportedResults } from "../../cells/report-files.ts";
import { readResults } from "../../cells/results.ts";
import { NotYetError } from "../../errors.ts";
import { findingsText } from "../../report/findings/text.ts";
import type { Study } from "../../studies/study.ts";
import { reproducing } from "./typed-command.ts";

/** What a report is written and printed with. */
interface ReportParts {
  readonly out: string;
  readonly studies: readonly Study[];
  readonly command: string;
  readonly arguments: readonly string[];
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Writes a report into the folder of results, and prints what it finds and where it is. */
export async function printReport(results: ReportedResults, parts: ReportParts): Promise<void> {
  const { writeReport } = await import("../write-report.ts");
  const { page, findings } = await writeReport(parts.out, results, parts.studies, reproducing(parts));
  parts.stdout.write(`${findingsText(findings)}Report: ${page}\n`);
}

/**
 * Writes the report of the cells that are finished. It names those that are missing, and so does the page.
 * @throws NotYetError where a cell is missing: the report can be written again when it is there
 */
export async function reportFinished(cells: readonly Cell[], parts: ReportParts): Promise<number> {
  const { out, studies, stdout } = parts;
  const results = await readResults(new FolderStore(out), cells, studies);
  for (const line of results.damaged) stdout.write(`${line}\n`);
  const missing = results.open.map(({ id }) => id);
  if (results.cells.length > 0) {
    await printReport({ ...results, missing }, parts);
  }
  if (missing.length === 0) return 0;
  throw new NotYetError(`${missing.length} of ${cells.length} cells are missing:\n${missing.join("\n")}`);
}

import type { Study } from "../studies/study.ts";
import { type CellResult, cellId } from "./cell.ts";

/**
 * Results in the form of open-unlearning's `_SUMMARY.json`: one file a cell, a flat object from the metric's name to its value.
 * @returns the files' content by their path: `summaries/<cell id>_SUMMARY.json`
 */
export function summaries(cells: readonly CellResult[], studies: readonly Study[]): Record<string, string> {
  return Object.fromEntries(
    cells.map((cell) => {
      const { bleu, vanilla } = cell.subject;
      const measured = studies.filter(({ name }) => name in cell.studies);
      const metrics = {
        target_bleu: bleu.target.at(-1)!,
        unrelated_bleu: bleu.unrelated.at(-1)!,
        ...share("vanilla_target_right", vanilla.target),
        ...share("vanilla_unrelated_right", vanilla.unrelated),
        ...Object.assign({}, ...measured.map((study) => study.metrics?.(cell.studies[study.name]) ?? {})),
      };
      return [`summaries/${cellId(cell.config)}_SUMMARY.json`, `${JSON.stringify(metrics, null, 2)}\n`];
    }),
  );
}

/** The share of the vanilla answers that the judge found right; nothing where none was judged. */
function share(name: string, { judged, right }: { readonly judged: number; readonly right: number }) {
  return judged > 0 ? { [name]: right / judged } : {};
}

import type { Cell } from "../../cells/cell.ts";
import { forecastOf } from "../../cells/forecast/forecast.ts";
import { adapterTitle, type CellRunner } from "../../cells/run-cells.ts";
import type { Study } from "../../studies/study.ts";
import { subjectKind } from "../../subjects/list.ts";
import { showProgress } from "../progress.ts";
import type { CellCost } from "./cell-plan.ts";
import { stoppable } from "./stop-signals.ts";

/** What {@link measureCosts} works with. */
interface CostParts {
  readonly openRunner: (studies: readonly Study[]) => Promise<CellRunner>;
  readonly studies: readonly Study[];
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Forecasts what each cell takes in a process of its own, from passes and steps that are measured on this device, once for each model and
 * way of training. A cell whose subject is trained in another way than by unlearning has no forecast.
 */
export async function measureCosts(
  cells: readonly Cell[],
  { openRunner, studies, stderr }: CostParts,
): Promise<{ readonly adapter: string; readonly byId: ReadonlyMap<string, CellCost> }> {
  const runner = await openRunner(studies);
  const display = showProgress(stderr, cells.length);
  const byId = new Map<string, CellCost>();
  try {
    await stoppable(
      async (signal) => {
        for (const [i, cell] of cells.entries()) {
          if (subjectKind(cell.config.subject).unrehearsed) continue;
          const { rates, work, memory } = await runner.rehearse(cell, {
            progress: (share, stage) => display.update(i + share, cell.id, stage),
            remark: (line) => display.line(line),
            signal,
          });
          byId.set(cell.id, { ...forecastOf(rates, work, studies), memory });
        }
      },
      () => display.line("Stopping. No plan is written."),
    );
    return { adapter: adapterTitle(runner.adapter), byId };
  } finally {
    display.stop();
    await runner.close();
  }
}

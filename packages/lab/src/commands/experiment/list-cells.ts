import stringify from "json-stringify-pretty-compact";
import { type Cell, matchedCellId } from "../../cells/cell.ts";
import { FolderStore } from "../../cells/folder-store.ts";
import { readResults } from "../../cells/results.ts";
import type { Study } from "../../studies/study.ts";
import type { CellCost, CellPlan } from "./cell-plan.ts";

/** A cell as `--list-cells --json` prints it. */
export interface ListedCell {
  /** What `--cell-index` takes. */
  readonly index: number;
  readonly id: string;
  /** The file of its result. */
  readonly file: string;
  /** `unfinished`: begun, and a part of the work is kept. */
  readonly state: "finished" | "unfinished" | "open";
  /** The cell whose result it needs. */
  readonly needs: string | null;
  /** What it takes in a process of its own; null where that was not measured. */
  readonly cost: CellCost | null;
}

/** What {@link listCells} works with. */
interface ListParts {
  readonly out: string;
  /** Every study: cells may hold studies that were not asked for. */
  readonly studies: readonly Study[];
  readonly plan: CellPlan | undefined;
  readonly json: boolean;
}

/** The cells as text: one id a line, or JSON with what a scheduler asks for. */
export async function listCells(cells: readonly Cell[], { out, studies, plan, json }: ListParts): Promise<string> {
  if (!json) return cells.map(({ id }) => `${id}\n`).join("");
  const store = new FolderStore(out);
  const { open } = await readResults(store, cells, studies);
  const costs = new Map(plan?.cells.map(({ id, cost }) => [id, cost]));
  const listed = cells.map(async (cell, index): Promise<ListedCell> => {
    const { id } = cell;
    return {
      index,
      id,
      file: store.where("cells", id),
      state: !open.includes(cell) ? "finished" : (await store.unfinished.has(id)) ? "unfinished" : "open",
      needs: matchedCellId(cell.config) ?? null,
      cost: costs.get(id) ?? null,
    };
  });
  return `${stringify(await Promise.all(listed), { maxLength: 140 })}\n`;
}

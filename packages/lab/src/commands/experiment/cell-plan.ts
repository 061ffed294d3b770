import type { ModelPlace } from "@lethe/decoder";
import { readTextFile, writeWhole } from "@lethe/tensor/node";
import { z } from "zod";
import { type Cell, matchedCellId } from "../../cells/cell.ts";
import { choiceSchema } from "../../cells/forecast/budget.ts";
import type { modelReference } from "../../cells/plan.ts";
import { ExperimentError } from "../../errors.ts";

const seconds = z.number().min(0);

/** What a cell takes in a process of its own. */
export const costSchema = z.strictObject({
  seconds,
  /** Seconds of each stage. */
  stages: z.record(z.string(), seconds),
  /** Bytes on the device by part. */
  memory: z.record(z.string(), z.number().min(0)),
});
export type CellCost = z.infer<typeof costSchema>;

const planSchema = z.strictObject({
  lethe: z.literal("plan"),
  version: z.literal(1),
  /** The options that decide the cells, as they were typed. */
  arguments: z.array(z.string()),
  /** Each model as it was named, with the hash that it had. */
  models: z.array(z.strictObject({ place: z.string(), name: z.string(), sha256: z.string() })),
  /** What a budget chose. */
  choice: choiceSchema.nullable(),
  /** The adapter that costs were measured on; null where nothing was measured. */
  adapter: z.string().nullable(),
  /** In the order of their indices: a control comes after all cells that others need. */
  cells: z.array(z.strictObject({ id: z.string(), cost: costSchema.nullable() })),
});
/** A list of cells that is frozen, so that the index of a cell never shifts, and a model is hashed once for all tasks. */
export type CellPlan = z.infer<typeof planSchema>;

/**
 * Reads a plan; undefined where there is none yet.
 * @throws ExperimentError when the file is no plan
 */
export async function readPlan(path: string): Promise<CellPlan | undefined> {
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  const { success, data } = planSchema.safeParse(jsonOf(text));
  if (success) return data;
  throw new ExperimentError(
    `--plan ${path} is there and is no plan of this version of Lethe. Remove it, or name another file.`,
  );
}

/** Writes a plan whole or not at all. Tasks that write the same plan at once do no harm. */
export async function writePlan(path: string, plan: Omit<CellPlan, "lethe" | "version">): Promise<void> {
  const whole: CellPlan = { lethe: "plan", version: 1, ...plan };
  await writeWhole(path, `${JSON.stringify(whole, null, 2)}\n`);
}

/** The models of a plan, as `planCells` keeps those that it has read. */
export function plannedModels({ models }: Pick<CellPlan, "models">) {
  const known = models.map(({ place, ...reference }) => [place, Promise.resolve(reference)] as const);
  return new Map<ModelPlace, ReturnType<typeof modelReference>>(known);
}

/**
 * Cells in the order of a plan.
 * @throws ExperimentError when they are others than the plan's: the data have changed since, or Lethe has
 */
export function inOrderOf({ cells: planned }: CellPlan, cells: readonly Cell[], path: string): Cell[] {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const ordered = planned.flatMap(({ id }) => byId.get(id) ?? []);
  if (ordered.length === cells.length && ordered.length === planned.length) return ordered;
  throw new ExperimentError(
    `The cells of --plan ${path} are not those that its options give now. Its data, a recipe on record or Lethe itself has changed since. ` +
      "Remove the plan to make a new one.",
  );
}

/** Cells in an order in which none needs the result of one that comes later, and the cells that need one come last. */
export function neededFirst(cells: readonly Cell[]): Cell[] {
  const needs = ({ config }: Cell) => matchedCellId(config) !== undefined;
  return [...cells.filter((cell) => !needs(cell)), ...cells.filter(needs)];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

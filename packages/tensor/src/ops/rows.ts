import { atLeast, options } from "../arguments.ts";
import { floatCode } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkShapes } from "./check.ts";
import { anyFloat, checked, f32, u32 } from "./checked.ts";
import type { F32, Ops, Weight } from "./ops.ts";
import { part, partsOf, perLane, perTurns, planTurns, runItems } from "./parts.ts";
import { zeros } from "./random.ts";
import { wideOf } from "./row-plan.ts";

/** {@inheritDoc DifferentiableOps.embedding} @function */
export const embedding: Ops["embedding"] = checked("embedding", { table: anyFloat, ids: u32 }, (table, ids) => {
  if (table.shape.length !== 2)
    throw new ShapeError(`embedding: the table has shape ${show(table.shape)} and must be a matrix [V, d]`);
  return gather("embedding", table, ids, [...ids.shape, table.shape[1]!]) as never;
});

/** {@inheritDoc DifferentiableOps.gatherRows} @function */
export const gatherRows: Ops["gatherRows"] = checked("gatherRows", { x: f32, index: u32 }, (x, index) => {
  if (x.shape.length === 0) throw new ShapeError("gatherRows: a scalar has no rows");
  checkShapes("gatherRows", { index }, [index.size]);
  return gather("gatherRows", x, index, [index.size, ...x.shape.slice(1)]);
});

/** {@inheritDoc DifferentiableOps.scatterRows} @function */
export const scatterRows: Ops["scatterRows"] = checked(
  "scatterRows",
  { values: f32, index: u32, options: options({ rows: atLeast(0) }) },
  (values, index, { rows }) => {
    checkEntries("scatterRows", values, index);
    const out = zeros(values.device, [rows, ...values.shape.slice(1)]);
    scatter(out, values, index, false);
    return out;
  },
);

/** {@inheritDoc BackwardOps.scatterRowsInto} @function */
export const scatterRowsInto: Ops["scatterRowsInto"] = checked(
  "scatterRowsInto",
  { target: f32, values: f32, index: u32 },
  (target, values, index) => {
    checkEntries("scatterRowsInto", values, index);
    const [rows = 0] = target.shape;
    checkShapes("scatterRowsInto", { target }, [rows, ...values.shape.slice(1)]);
    scatter(target, values, index, true);
  },
);

function checkEntries(operation: string, values: F32, index: Tensor<Shape, "u32">): void {
  checkShapes(operation, { index }, [index.size]);
  checkShapes(operation, { values }, [index.size, ...values.shape.slice(1)]);
}

/** Writes the sums of the rows of each index to `out` or, with `accumulate`, adds them to what it holds. */
function scatter(out: F32, values: F32, index: Tensor<Shape, "u32">, accumulate: boolean): void {
  const { device } = values;
  const entries = index.size;
  using links = device.empty([entries, 2], "u32", "scatterRows links");
  device.dispatch({
    kernel: "row_links",
    bindings: { ids: index, links },
    params: { count: entries },
    workgroups: device.grid(perLane(entries)),
  });
  const width = sizeOf(values.shape.slice(1));
  const WIDE = wideOf(width);
  const TURNS = planTurns(device.capabilities);
  const rows = out.shape[0]!;
  for (const { start, count } of partsOf(device, rows, [[out, width]]))
    device.dispatch({
      kernel: "scatter_rows",
      constants: { ACCUMULATE: accumulate, WIDE, TURNS },
      bindings: { values, ids: index, links, out: part(out, width, start, count, rows) },
      params: { count: values.size / WIDE, width, entries, first_row: start, rows: count },
      workgroups: device.grid(perTurns(values.size / WIDE, TURNS)),
    });
}

function gather(operation: string, table: Weight, ids: Tensor<Shape, "u32">, shape: Shape): F32 {
  const { device } = table;
  const rows = table.shape[0]!;
  const width = sizeOf(table.shape.slice(1));
  const out = device.empty(shape, "f32", operation);
  const WIDE = wideOf(width);
  const WORDS = WIDE === 4 && table.dtype !== "f32" ? 2 : WIDE;
  const TURNS = planTurns(device.capabilities);
  for (const { start, count: tableRows } of partsOf(device, rows, [[table, width]]))
    runItems(device, {
      kernel: "gather_rows",
      constants: { TABLE_DTYPE: floatCode(table.dtype), WIDE, WORDS, TURNS },
      items: ids.size,
      workgroups: (count) => perTurns((count * width) / WIDE, TURNS),
      split: { ids: [ids, 1], out: [out, width] },
      whole: { table: part(table, width, start, tableRows, rows) },
      params: (count) => ({
        count: (count * width) / WIDE,
        width,
        first_row: start,
        part_rows: tableRows,
        rows,
      }),
    });
  return out;
}

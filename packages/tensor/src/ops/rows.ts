import { floatCode } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Last, type Shape, show, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkDType, checkF32, checkShapeIs } from "./check.ts";
import type { F32, Weight } from "./ops.ts";
import { part, partsOf, perLane, runItems } from "./parts.ts";
import { zeros } from "./random.ts";

/**
 * Rows of a table `[V, d]` by index `[…]`, widened to f32: `[…, d]`. The table may be larger than one binding.
 * The ids are on the device and cannot be checked here: an id of V or more gives a row of NaN.
 */
export function embedding<T extends Shape, I extends Shape>(
  table: Weight<T>,
  ids: Tensor<I, "u32">,
): F32<[...I, Last<T>]> {
  if (table.shape.length !== 2)
    throw new ShapeError(`embedding: the table has shape ${show(table.shape)} and must be a matrix [V, d]`);
  return gather("embedding", table, ids, [...ids.shape, table.shape[1]!]) as unknown as F32<[...I, Last<T>]>;
}

/**
 * Rows of the first axis by index: `x [R, …]`, `index [K]`, giving `[K, …]`.
 * The index is on the device and cannot be checked here: an entry of R or more gives a row of NaN.
 */
export function gatherRows(x: F32, index: Tensor<Shape, "u32">): F32 {
  checkF32("gatherRows", { x });
  if (x.shape.length === 0) throw new ShapeError("gatherRows: a scalar has no rows");
  checkIndexList("gatherRows", index);
  return gather("gatherRows", x, index, [index.size, ...x.shape.slice(1)]);
}

/**
 * Zeros of `[rows, …]` with row k of `values [K, …]` added to row `index[k]`: the gradient of {@link gatherRows}. Rows of the
 * same index are added in the order of k, so that the sum is the same every time. Entries of `rows` or more are left out.
 */
export function scatterRows(values: F32, index: Tensor<Shape, "u32">, { rows }: { readonly rows: number }): F32 {
  checkF32("scatterRows", { values });
  checkDType("scatterRows", "index", index, "u32");
  checkIndexList("scatterRows", index);
  checkShapeIs("scatterRows", "values", values, [index.size, ...values.shape.slice(1)]);
  const { device } = values;
  using scope = device.scope("scatterRows");
  const out = scope.keep(zeros(device, [rows, ...values.shape.slice(1)]));
  const entries = index.size;
  const width = sizeOf(values.shape.slice(1));
  const links = device.empty([entries, 2], "u32", "scatterRows links");
  device.dispatch({
    kernel: "row_links",
    bindings: { ids: index, links },
    params: { count: entries },
    workgroups: device.grid(perLane(entries)),
  });
  device.dispatch({
    kernel: "scatter_rows",
    bindings: { values, ids: index, links, out },
    params: { count: values.size, width, entries, rows },
    workgroups: device.grid(perLane(values.size)),
  });
  return out;
}

function gather<S extends Shape>(operation: string, table: Weight, ids: Tensor<Shape, "u32">, shape: S): F32<S> {
  checkDType(operation, "table", table, "f32", "f16", "bf16");
  checkDType(operation, "ids", ids, "u32");
  const { device } = table;
  const rows = table.shape[0]!;
  const width = sizeOf(table.shape.slice(1));
  const out = device.empty(shape, "f32", operation);
  for (const { start, count: tableRows } of partsOf(device, rows, [[table, width]]))
    runItems(device, {
      kernel: "gather_rows",
      constants: { TABLE_DTYPE: floatCode(table.dtype) },
      items: ids.size,
      workgroups: (count) => perLane(count * width),
      split: { ids: [ids, 1], out: [out, width] },
      whole: { table: part(table, width, start, tableRows, rows) },
      params: (count) => ({
        count: count * width,
        width,
        first_row: start,
        part_rows: tableRows,
        rows,
        nan_bits: 0x7fc00000,
      }),
    });
  return out;
}

function checkIndexList(operation: string, index: Tensor): void {
  if (index.shape.length !== 1)
    throw new ShapeError(`${operation}: the index has shape ${show(index.shape)} and must be a list [K]`);
}

import { ShapeError } from "../../errors.ts";
import { type Shape, show } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { checkShapes } from "../check.ts";
import type { F32 } from "../ops.ts";
import { perLane, runItems } from "../parts.ts";
import { inTableParts } from "../rotary-table.ts";

interface Heads {
  readonly heads: number;
  readonly groups: number;
}

/**
 * Cuts queries, keys and values `[B, T, (H + 2 G) D]` apart, rotates queries and keys, and gives `q [B, T, H, D]`, `k` and `v`
 * `[B, T, G, D]`; or writes keys and values into a cache, which must fit one binding, and gives that.
 */
export function rotateHeads(
  joint: F32,
  table: F32,
  positions: Tensor<Shape, "u32">,
  { heads, groups }: Heads,
  cache?: { readonly keys: F32; readonly values: F32; readonly at: number },
): { readonly q: F32; readonly k: F32; readonly v: F32 } {
  const { device } = joint;
  const [batch = 0, length = 0, joined = 0] = joint.shape;
  const width = joined / (heads + 2 * groups);
  checkRotation(width, table);
  checkShapes("selfAttention", { positions }, [batch, length]);
  const q = device.empty([batch, length, heads, width], "f32", "queries");
  const fresh = (what: string): F32 => device.empty([batch, length, groups, width], "f32", what);
  const k = cache?.keys ?? fresh("keys");
  const v = cache?.values ?? fresh("values");
  const rows = { k: [k, groups * width], v: [v, groups * width] } as const;
  inTableParts(table, (bound, params) =>
    runItems(device, {
      kernel: "rotate_heads",
      constants: { QUARTER: width / 4 },
      items: batch * length,
      workgroups: (count) => perLane((count * joined) / 4),
      split: { joint: [joint, joined], positions: [positions, 1], q: [q, heads * width], ...(cache ? {} : rows) },
      whole: { table: bound, ...(cache && { k, v }) },
      params: (tokens) => ({
        ...{ tokens, heads, groups, ...params },
        ...(cache ? { length, capacity: k.shape[1]!, at: cache.at } : { length: tokens, capacity: tokens, at: 0 }),
      }),
    }),
  );
  return { q, k, v };
}

/** The gradient of {@link rotateHeads} for the joint `[B·T, (H + 2 G) D]`, from those of q, k and v. */
export function rotateHeadsBackward(
  { q, k, v }: { readonly q: F32; readonly k: F32; readonly v: F32 },
  table: F32,
  positions: Tensor<Shape, "u32">,
): F32 {
  const { device } = q;
  const [batch = 0, length = 0, heads = 0, width = 0] = q.shape;
  const groups = k.shape[2]!;
  const joined = (heads + 2 * groups) * width;
  const joint = device.empty([batch * length, joined], "f32", "gradient of queries, keys and values");
  inTableParts(table, (bound, params) =>
    runItems(device, {
      kernel: "rotate_heads_backward",
      constants: { QUARTER: width / 4 },
      items: batch * length,
      workgroups: (count) => perLane((count * joined) / 4),
      split: {
        ...{ q: [q, heads * width], k: [k, groups * width], v: [v, groups * width] },
        ...{ positions: [positions, 1], joint: [joint, joined] },
      },
      whole: { table: bound },
      params: (tokens) => ({ tokens, heads, groups, ...params }),
    }),
  );
  return joint;
}

function checkRotation(width: number, table: F32): void {
  if (width % 4 !== 0) throw new ShapeError(`selfAttention: head size ${width}; expected a multiple of four`);
  if (table.shape.length !== 2 || table.shape[1] !== width)
    throw new ShapeError(`selfAttention: the table is ${show(table.shape)}; expected [P, ${width}]`);
}

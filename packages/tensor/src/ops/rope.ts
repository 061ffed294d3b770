import { atLeast, finite, flag, instanceOf, numbers, optional, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { show } from "../shape.ts";
import { Device } from "../tensor.ts";
import { checkShapes } from "./check.ts";
import { checked, f32, u32 } from "./checked.ts";
import type { F32, Ops } from "./ops.ts";
import { perLane, runItems } from "./parts.ts";
import { inTableParts } from "./rotary-table.ts";

/** {@inheritDoc DifferentiableOps.rope} @function */
export const rope: Ops["rope"] = checked(
  "rope",
  { x: f32, table: f32, positions: u32, options: options({ inverse: optional(flag) }) },
  (x, table, positions, { inverse = false } = {}) => {
    const [batch = 0, length = 0, heads = 0, width = 0] = x.shape;
    if (x.shape.length !== 4 || width % 2 !== 0)
      throw new ShapeError(`rope: x is ${show(x.shape)}; expected [B, T, H, D] with an even D`);
    if (table.shape.length !== 2 || table.shape[1] !== width)
      throw new ShapeError(`rope: the table is ${show(table.shape)}; expected [P, ${width}] for x ${show(x.shape)}`);
    checkShapes("rope", { positions }, [batch, length]);
    const out = x.device.empty(x.shape, "f32", "rope");
    const half = width / 2;
    const pairs = half % 4 === 0 ? 4 : half % 2 === 0 ? 2 : 1;
    inTableParts(table, (bound, params) =>
      runItems(x.device, {
        kernel: "rope",
        constants: { HALF: half, PAIRS: pairs, DIRECTION: inverse ? -1 : 1 },
        items: batch * length,
        workgroups: (count) => perLane((count * heads * half) / pairs),
        split: { x: [x, heads * width], positions: [positions, 1], out: [out, heads * width] },
        whole: { table: bound },
        params: (tokens) => ({ tokens, heads, ...params }),
      }),
    );
    return out;
  },
);

/** Options of {@link ropeTable}. */
export interface RopeTableOptions {
  readonly positions: number;
  readonly inverseFrequencies: Float64Array | readonly number[];
  /** The attention factor of some RoPE variants. Default: 1. */
  readonly scale?: number;
}

/**
 * Cosines and sines for {@link rope}, `[P, D]` for positions 0 … P − 1: D/2 cosines, then D/2 sines a row, times `scale`. Computed on
 * the host as `transformers` does: inverse frequencies are rounded to f32, their product with the position is rounded to f32, then
 * cosine and sine are rounded to f32.
 */
export const ropeTable = checked(
  "ropeTable",
  {
    device: instanceOf(Device),
    options: options({ positions: atLeast(0), inverseFrequencies: numbers, scale: optional(finite) }),
  },
  (device: Device, { positions, inverseFrequencies, scale = 1 }: RopeTableOptions): F32<[number, number]> => {
    const frequencies = Float32Array.from(inverseFrequencies);
    const half = frequencies.length;
    const values = new Float32Array(positions * 2 * half);
    for (let position = 0; position < positions; position++) {
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(position * frequencies[i]!);
        values[position * 2 * half + i] = Math.fround(Math.cos(angle)) * scale;
        values[position * 2 * half + half + i] = Math.fround(Math.sin(angle)) * scale;
      }
    }
    return device.tensor(values, [positions, 2 * half], "f32", "rope table");
  },
);

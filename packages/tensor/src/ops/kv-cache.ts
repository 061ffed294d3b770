import { atLeast, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { show } from "../shape.ts";
import { checked, f32 } from "./checked.ts";
import type { Ops } from "./ops.ts";

/** {@inheritDoc Ops.writeCache} */
export const writeCache: Ops["writeCache"] = checked(
  "writeCache",
  { cache: f32, x: f32, options: options({ at: atLeast(0) }) },
  (cache, x, { at }) => {
    const [batch, capacity = 0, groups = 0, width = 0] = cache.shape;
    const [newBatch, rows = 0, newGroups, newWidth] = x.shape;
    const fits = batch === newBatch && groups === newGroups && width === newWidth;
    if (cache.shape.length !== 4 || x.shape.length !== 4 || !fits)
      throw new ShapeError(
        `writeCache: rows ${show(x.shape)} do not fit the cache ${show(cache.shape)}; expected [B, T, G, D] and [B, C, G, D]`,
      );
    if (at + rows > capacity)
      throw new ShapeError(`writeCache: ${rows} rows at ${at} do not fit a cache of ${capacity} rows`);
    const row = groups * width;
    cache.device.dispatch({
      kernel: "cache_write",
      bindings: { x, cache },
      params: { total: x.size, new_row: rows * row, cache_row: capacity * row, offset: at * row },
      workgroups: cache.device.grid(Math.ceil(x.size / 64)),
    });
  },
);

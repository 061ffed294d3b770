import { atLeast, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { show } from "../shape.ts";
import { checked, f32 } from "./checked.ts";
import { copyStrided } from "./copy-strided.ts";
import type { Ops } from "./ops.ts";

/** {@inheritDoc Ops.writeCache} @function */
export const writeCache: Ops["writeCache"] = checked(
  "writeCache",
  { cache: f32, x: f32, options: options({ at: atLeast(0) }) },
  (cache, x, { at }) => {
    const [batch = 0, capacity = 0, groups = 0, width = 0] = cache.shape;
    const [newBatch, rows = 0, newGroups, newWidth] = x.shape;
    const fits = batch === newBatch && groups === newGroups && width === newWidth;
    if (cache.shape.length !== 4 || x.shape.length !== 4 || !fits)
      throw new ShapeError(
        `writeCache: rows ${show(x.shape)} do not fit the cache ${show(cache.shape)}; expected [B, T, G, D] and [B, C, G, D]`,
      );
    if (at + rows > capacity)
      throw new ShapeError(`writeCache: ${rows} rows at ${at} do not fit a cache of ${capacity} rows`);
    const row = groups * width;
    const { device } = cache;
    if (Math.max(cache.bytes, x.bytes) <= device.capabilities.maxBindingBytes) {
      const target = { tensor: cache, strides: [capacity * row, 1], offset: at * row };
      copyStrided("writeCache", [batch, rows * row], { tensor: x }, target);
      return;
    }
    // A copy needs no binding, but it ends the run of kernels.
    const bytes = rows * row * 4;
    for (let b = 0; b < batch; b++) device.copyBytes(x, b * bytes, cache, (b * capacity + at) * row * 4, bytes);
  },
);

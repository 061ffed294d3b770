import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Writes new keys or values into a cache, in place.
 * @param cache `[B, C, G, D]`
 * @param x `[B, T, G, D]`
 * @param options `at`: the row of the cache that takes the first row of x
 * @throws {ShapeError} when the shapes do not fit or the rows run past the capacity C.
 */
export function writeCache(
  cache: Tensor<Shape, "f32">,
  x: Tensor<Shape, "f32">,
  options: { readonly at: number },
): void {
  const { at } = options;
  const [batch, capacity = 0, groups = 0, width = 0] = cache.shape;
  const [newBatch, rows = 0, newGroups, newWidth] = x.shape;
  const fits = batch === newBatch && groups === newGroups && width === newWidth;
  if (cache.shape.length !== 4 || x.shape.length !== 4 || !fits)
    throw new ShapeError(
      `writeCache: rows ${show(x.shape)} do not fit the cache ${show(cache.shape)}; expected [B, T, G, D] and [B, C, G, D]`,
    );
  if (!Number.isInteger(at) || at < 0 || at + rows > capacity)
    throw new ShapeError(`writeCache: ${rows} rows at ${at} do not fit a cache of ${capacity} rows`);
  const device = cache.device;
  const row = groups * width;
  device.dispatch({
    kernel: "cache_write",
    bindings: { x, cache },
    params: { total: x.size, new_row: rows * row, cache_row: capacity * row, offset: at * row },
    workgroups: device.grid(Math.ceil(x.size / 64)),
  });
}

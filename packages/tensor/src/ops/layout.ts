import type { Shape } from "../shape.ts";
import type { F32 } from "./ops.ts";

/** The same numbers under another shape, without a copy. */
export function reshape<S extends Shape>(x: F32, { shape }: { readonly shape: S }): F32<S> {
  return x.reshape(shape);
}

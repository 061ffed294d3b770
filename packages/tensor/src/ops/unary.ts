import type { Shape } from "../shape.ts";
import { map, mapBackward } from "./elementwise.ts";
import type { F32, UnaryKind } from "./ops.ts";

/** The order of the branches in `kernels/unary.wgsl`. */
const kinds: readonly UnaryKind[] = [
  "neg",
  "exp",
  "log",
  "sqrt",
  "square",
  "abs",
  "sigmoid",
  "logSigmoid",
  "silu",
  "relu",
  "gelu",
  "tanh",
];

/**
 * A function of each element. `gelu` is the exact one, x Φ(x) (Hendrycks & Gimpel 2016). Outside the domain of `log` and `sqrt`,
 * and where `exp` overflows (x > 88.7), the result is what the adapter makes of it: NaN or an infinity as a rule.
 */
export function unary<S extends Shape>(x: F32<S>, { kind }: { readonly kind: UnaryKind }): F32<S> {
  return map("unary", x, { KIND: kinds.indexOf(kind) });
}

/** Gradient of {@link unary} at x. At the kinks of `abs` and `relu` it is 0. */
export function unaryBackward<S extends Shape>(
  x: F32<S>,
  gradient: F32<S>,
  { kind }: { readonly kind: UnaryKind },
): F32<S> {
  return mapBackward("unary_backward", x, gradient, { KIND: kinds.indexOf(kind) });
}

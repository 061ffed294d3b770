/**
 * Slope of `f` along one element of `x`, by central differences in float64, good to about nine digits for functions of order 1. `x` is
 * changed and changed back.
 */
export function slope(f: () => number, x: Float64Array, element: number, step = 1e-5): number {
  const value = x[element]!;
  x[element] = value + step;
  const above = f();
  x[element] = value - step;
  const below = f();
  x[element] = value;
  return (above - below) / (2 * step);
}

/** A differentiable function of several arrays in float64. */
export type Reference = (...inputs: Float64Array[]) => ArrayLike<number>;

/**
 * Gradients of `Σ gradient · f(inputs)` for each input, element by element with {@link slope}: a check on backward kernels that
 * shares nothing with them.
 */
export function finiteDifferences(
  f: Reference,
  inputs: readonly ArrayLike<number>[],
  gradient: ArrayLike<number>,
  step?: number,
): Float64Array[] {
  const points = inputs.map((input) => Float64Array.from(input));
  const weighted = () => {
    const output = f(...points);
    let sum = 0;
    for (let i = 0; i < output.length; i++) sum += output[i]! * gradient[i]!;
    return sum;
  };
  return points.map((point) => point.map((_, i) => slope(weighted, point, i, step)));
}

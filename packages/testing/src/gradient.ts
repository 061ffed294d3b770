/** A differentiable function of several arrays in float64. */
export type Reference = (...inputs: Float64Array[]) => ArrayLike<number>;

/**
 * Gradients of `Σ gradient · f(inputs)` for each input by central differences in float64, good to about 1e-8 for functions of
 * order 1: a check on backward kernels that shares nothing with them.
 */
export function finiteDifferences(
  f: Reference,
  inputs: readonly ArrayLike<number>[],
  gradient: ArrayLike<number>,
  step = 1e-5,
): Float64Array[] {
  const points = inputs.map((input) => Float64Array.from(input));
  const weighted = () => {
    const output = f(...points);
    let sum = 0;
    for (let i = 0; i < output.length; i++) sum += output[i]! * gradient[i]!;
    return sum;
  };
  return points.map((point) =>
    point.map((_, i) => {
      const value = point[i]!;
      point[i] = value + step;
      const above = weighted();
      point[i] = value - step;
      const below = weighted();
      point[i] = value;
      return (above - below) / (2 * step);
    }),
  );
}

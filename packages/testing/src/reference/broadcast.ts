/** `f(a, b)` under NumPy's broadcasting, by looking every index up: slow and plain. */
export function broadcastBinary(
  f: (a: number, b: number) => number,
  a: ArrayLike<number>,
  aShape: readonly number[],
  b: ArrayLike<number>,
  bShape: readonly number[],
): { values: Float64Array; shape: number[] } {
  const rank = Math.max(aShape.length, bShape.length);
  const padded = (shape: readonly number[]) => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [aDims, bDims] = [padded(aShape), padded(bShape)];
  const shape = aDims.map((dim, i) => Math.max(dim, bDims[i]!));
  const values = new Float64Array(sizeOf(shape));
  const flat = (dims: number[], index: number[]) =>
    dims.reduce((at, dim, i) => at * dim + (dim === 1 ? 0 : index[i]!), 0);
  for (let i = 0; i < values.length; i++) {
    const index = indexOf(shape, i);
    values[i] = f(a[flat(aDims, index)]!, b[flat(bDims, index)]!);
  }
  return { values, shape };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Coordinates of the i-th element of a row-major shape. */
export function indexOf(shape: readonly number[], i: number): number[] {
  const index = new Array<number>(shape.length);
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

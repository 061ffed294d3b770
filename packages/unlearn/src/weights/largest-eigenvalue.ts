import { randomOf } from "@lethe/tensor";

/** The search ends when so many steps together have raised the eigenvalue by less than this share of it. */
const SETTLED = { steps: 4, share: 1e-7 };

/**
 * The largest eigenvalue of a symmetric positive semidefinite matrix, by Lanczos's method (1950) in float64 with every new direction made
 * orthogonal to all earlier ones. It starts from the same vector each time. The value is approached from below; where the search ends it
 * is within 1e-6 of itself, also for the crowded spectrum of a random matrix, on which power iteration would take thousands of steps.
 * @param matrix `n · n` numbers, of which it reads all
 */
export function largestEigenvalue(matrix: ArrayLike<number>, n: number): number {
  const random = randomOf("largestEigenvalue", n);
  let next = normalized(Float64Array.from({ length: n }, () => random() - 0.5));
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  const found: number[] = [];
  while (basis.length < n) {
    basis.push(next);
    const image = product(matrix, next);
    diagonal.push(dot(image, next));
    found.push(largestOfTridiagonal(diagonal, offDiagonal));
    const [largest, before = 0] = [found.at(-1)!, found.at(-1 - SETTLED.steps)];
    if (largest - before <= SETTLED.share * largest) break;
    // Twice, because where little is left of the image the first time leaves rounding in it (Parlett: twice is enough).
    for (let time = 0; time < 2; time++)
      for (const direction of basis) subtract(image, direction, dot(image, direction));
    const length = Math.sqrt(dot(image, image));
    // What is left is rounding: the directions so far hold the largest eigenvector.
    if (length <= 1e-12 * largest) break;
    offDiagonal.push(length);
    next = normalized(image);
  }
  return Math.max(0, found.at(-1)!);
}

/** By bisection: λ is above all eigenvalues exactly where every pivot of T − λ is negative (Sturm). */
function largestOfTridiagonal(diagonal: readonly number[], offDiagonal: readonly number[]): number {
  const radius = (i: number) => (offDiagonal[i - 1] ?? 0) + (offDiagonal[i] ?? 0);
  const isAbove = (candidate: number) => {
    let pivot = -1;
    return diagonal.every((entry, i) => {
      pivot = entry - candidate - (i > 0 ? offDiagonal[i - 1]! ** 2 / pivot : 0);
      return pivot < 0;
    });
  };
  let low = Math.max(...diagonal);
  let high = Math.max(...diagonal.map((entry, i) => entry + radius(i)));
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function product(matrix: ArrayLike<number>, vector: Float64Array): Float64Array {
  const n = vector.length;
  const image = new Float64Array(n);
  for (let row = 0, at = 0; row < n; row++) {
    let sum = 0;
    for (let column = 0; column < n; column++, at++) sum += matrix[at]! * vector[column]!;
    image[row] = sum;
  }
  return image;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function subtract(from: Float64Array, direction: Float64Array, factor: number): void {
  for (let i = 0; i < from.length; i++) from[i] = from[i]! - factor * direction[i]!;
}

function normalized(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

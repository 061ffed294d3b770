import { type Device, type FloatDType, randomNormal, type Shape, type Tensor } from "@lethe/tensor";

let seed = 1;

/** Normal values made on the device. Every call gives other values, the same in every run. */
export function normal<const S extends Shape>(device: Device, shape: S, std = 1): Tensor<S, "f32"> {
  return randomNormal(device, shape, { seed: seed++, std });
}

/** The elements of an output, or a function that gives an element from its index. */
export type Expected = ArrayLike<number> | ((index: number) => number);

/** Compares a few elements, spread over an output, with float64 arithmetic on the host. */
export async function checkSamples(name: string, output: Tensor, expected: Expected, tolerance = 1e-3): Promise<void> {
  const values = await output.read();
  const count = 23; // prime, so that samples do not fall on one column
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * (values.length - 1)) / (count - 1));
    const [got, want] = [values[index]!, typeof expected === "function" ? expected(index) : expected[index]!];
    if (!(Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want))))
      throw new Error(`${name}: element ${index} is ${got}, expected ${want}`);
  }
}

/** Bytes of a tensor. */
export function bytesOf(dtype: FloatDType, ...shape: number[]): number {
  return shape.reduce((product, dim) => product * dim, dtype === "f32" ? 4 : 2);
}

/** Sequences of token ids that look random, the same in every run. */
export function tokensLike(vocabulary: number, count: number, length: number, first = 0): number[][] {
  return Array.from({ length: count }, (_, b) =>
    Array.from({ length }, (_, t) => (t * t * 7919 + t * 31 + (first + b) * 104_729 + 1) % vocabulary),
  );
}

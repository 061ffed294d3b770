import { ShapeError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face: the first half of a head is turned
 * against its second half.
 * @param x `[B, T, H, D]`
 * @param table `[P, D]` from {@link ropeTable}
 * @param positions `[B, T]`, each below P
 * @param options `inverse` turns the other way, which is also the gradient
 * @throws {ShapeError} when the shapes do not fit.
 */
export function rope<S extends Shape>(
  x: Tensor<S, "f32">,
  table: Tensor<Shape, "f32">,
  positions: Tensor<Shape, "u32">,
  options: { readonly inverse?: boolean } = {},
): Tensor<S, "f32"> {
  const [batch = 0, length = 0, heads = 0, width = 0] = x.shape;
  if (x.shape.length !== 4 || width % 2 !== 0)
    throw new ShapeError(`rope: x is ${show(x.shape)}; expected [B, T, H, D] with an even D`);
  if (table.shape.length !== 2 || table.shape[1] !== width)
    throw new ShapeError(`rope: the table is ${show(table.shape)}; expected [P, ${width}] for x ${show(x.shape)}`);
  if (positions.shape.length !== 2 || positions.shape[0] !== batch || positions.shape[1] !== length)
    throw new ShapeError(
      `rope: positions are ${show(positions.shape)}; expected ${show([batch, length])} for x ${show(x.shape)}`,
    );
  const device = x.device;
  const out = device.empty(x.shape, "f32", "rope");
  const half = width / 2;
  const pairs = half % 4 === 0 ? 4 : half % 2 === 0 ? 2 : 1;
  device.dispatch({
    kernel: "rope",
    constants: { HALF: half, PAIRS: pairs, DIRECTION: options.inverse ? -1 : 1 },
    bindings: { x, table, positions, out },
    params: { tokens: batch * length, heads },
    workgroups: device.grid(Math.ceil(x.size / (2 * pairs * 64))),
  });
  return out;
}

/**
 * Cosines and sines for {@link rope}, `[P, D]` for positions 0 … P − 1: D/2 cosines, then D/2 sines a row, times `scale`
 * (the attention factor of some RoPE variants; default 1). Computed on the host as `transformers` does: inverse frequencies
 * rounded to f32, their product with the position rounded to f32, then cosine and sine rounded to f32.
 */
export function ropeTable(
  device: Device,
  options: {
    readonly positions: number;
    readonly inverseFrequencies: Float64Array | readonly number[];
    readonly scale?: number;
  },
): Tensor<[number, number], "f32"> {
  const { positions, scale = 1 } = options;
  const frequencies = Float32Array.from(options.inverseFrequencies);
  const half = frequencies.length;
  const values = new Float32Array(positions * 2 * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]!);
      values[position * 2 * half + i] = Math.fround(Math.cos(angle)) * scale;
      values[position * 2 * half + half + i] = Math.fround(Math.sin(angle)) * scale;
    }
  }
  return device.tensor(values, [positions, 2 * half], "f32", "rope table");
}

import { anyNumber, atLeast, finite, instanceOf, optional, options, shapeKind } from "../arguments.ts";
import type { Shape } from "../shape.ts";
import { Device, type Tensor } from "../tensor.ts";
import { checked, f32OrU32 } from "./checked.ts";
import type { F32 } from "./ops.ts";
import { runElements } from "./parts.ts";

const place = { device: instanceOf(Device), shape: shapeKind };

/** A tensor of zeros. */
export const zeros = checked(
  "zeros",
  place,
  <const S extends Shape>(device: Device, shape: S): F32<S> => full(device, shape, 0),
);

/** A tensor filled with one number. */
export const full = checked(
  "full",
  { ...place, value: anyNumber },
  <const S extends Shape>(device: Device, shape: S, value: number): F32<S> => {
    const out = device.empty(shape, "f32", "full");
    fillInto(out, value);
    return out;
  },
);

/** Writes one number into every element of a tensor that is there, such as one that lives long. In a tensor of u32 it is a whole number. */
export const fillInto = checked(
  "fillInto",
  { target: f32OrU32, value: anyNumber },
  (target: Tensor<Shape, "f32" | "u32">, value: number): void => {
    const bits = target.dtype === "u32" ? value : new Uint32Array(Float32Array.of(value).buffer)[0]!;
    runElements("fill", { out: target }, { params: { bits } });
  },
);

/**
 * Numbers from a normal distribution, by default of mean 0 and standard deviation 1. A seed is a whole number of at least 0. The same
 * seed gives the same bits on one adapter; adapters differ by the rounding of log, sin and cos.
 */
export const randomNormal = checked(
  "randomNormal",
  { ...place, options: options({ seed: atLeast(0), mean: optional(finite), std: optional(finite) }) },
  <const S extends Shape>(
    device: Device,
    shape: S,
    { seed, mean = 0, std = 1 }: { readonly seed: number; readonly mean?: number; readonly std?: number },
  ): F32<S> => generate(device.empty(shape, "f32", "randomNormal"), seed, { NORMAL: true }, mean, std),
);

/** Numbers from a uniform distribution over `[low, high)`, by default `[0, 1)`, in steps of 2⁻²⁴ of the interval. See {@link randomNormal} for seeds. */
export const randomUniform = checked(
  "randomUniform",
  { ...place, options: options({ seed: atLeast(0), low: optional(finite), high: optional(finite) }) },
  <const S extends Shape>(
    device: Device,
    shape: S,
    { seed, low = 0, high = 1 }: { readonly seed: number; readonly low?: number; readonly high?: number },
  ): F32<S> => generate(device.empty(shape, "f32", "randomUniform"), seed, { NORMAL: false }, low, high - low),
);

function generate<T extends Tensor>(
  out: T,
  seed: number,
  constants: { NORMAL: boolean },
  base: number,
  scale: number,
): T {
  const [seed_low, seed_high] = wordsOf(seed);
  runElements(
    "random",
    { out },
    { constants, params: (start) => ({ first: start / 4, seed_low, seed_high, base, scale }) },
  );
  return out;
}

/** The lower and the upper 32 bits of a whole number, as kernels take a seed. */
export const wordsOf = (whole: number): [low: number, high: number] => [whole >>> 0, Math.floor(whole / 2 ** 32)];

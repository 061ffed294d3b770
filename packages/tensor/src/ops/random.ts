import { LetheError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { F32 } from "./ops.ts";
import { perLane, perVector, runItems } from "./parts.ts";

/** A tensor of zeros. */
export function zeros<const S extends Shape>(device: Device, shape: S): F32<S> {
  return full(device, shape, 0);
}

/** A tensor filled with one number. */
export function full<const S extends Shape>(device: Device, shape: S, value: number): F32<S> {
  const out = device.empty(shape, "f32", "full");
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  runItems(device, {
    kernel: "fill",
    items: out.size,
    workgroups: perLane,
    split: { out: [out, 1] },
    params: (count) => ({ count, bits }),
  });
  return out;
}

/**
 * Numbers from a normal distribution, mean 0 and standard deviation 1 by default. A seed is a whole number of at least 0; the same
 * seed gives the same numbers, to the last bit on one adapter and to rounding of log, sin and cos on others.
 */
export function randomNormal<const S extends Shape>(
  device: Device,
  shape: S,
  { seed, mean = 0, std = 1 }: { readonly seed: number; readonly mean?: number; readonly std?: number },
): F32<S> {
  return generate(device.empty(shape, "f32", "randomNormal"), seed, { NORMAL: true }, mean, std);
}

/** Numbers spread evenly over `[low, high)`, by default `[0, 1)`, in steps of 2⁻²⁴ of the interval. See {@link randomNormal} for seeds. */
export function randomUniform<const S extends Shape>(
  device: Device,
  shape: S,
  { seed, low = 0, high = 1 }: { readonly seed: number; readonly low?: number; readonly high?: number },
): F32<S> {
  return generate(device.empty(shape, "f32", "randomUniform"), seed, { NORMAL: false }, low, high - low);
}

function generate<T extends Tensor>(
  out: T,
  seed: number,
  constants: { NORMAL: boolean },
  base: number,
  scale: number,
): T {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new LetheError(`${out.label}: seed ${seed} is not a whole number from 0 to 2⁵³ − 1`);
  runItems(out.device, {
    kernel: "random",
    constants,
    items: out.size,
    workgroups: perVector,
    split: { out: [out, 1] },
    params: (count, start) => ({
      count,
      first: start / 4,
      seed_low: seed >>> 0,
      seed_high: Math.floor(seed / 2 ** 32),
      base,
      scale,
    }),
  });
  return out;
}

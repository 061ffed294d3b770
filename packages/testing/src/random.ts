import { integerBelow, randomOf } from "@lethe/tensor";

/** Every run has fresh inputs. Each test file prints its seed; `LETHE_TEST_SEED=` with that seed repeats a failure. */
export const seed = Number(process.env.LETHE_TEST_SEED ?? Date.now() % 1_000_000);
console.info(`LETHE_TEST_SEED=${seed}`);

/** Uniform in [0, 1). */
export const random = randomOf(seed, "tests");

/** Whole number in [low, high]. */
export function integer(low: number, high: number): number {
  return low + integerBelow(high - low + 1, random);
}

/** About standard normal, as f32 values. */
export function normal(count: number, scale = 1): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random()) * scale;
  });
}

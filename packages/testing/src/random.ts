/** Fresh inputs on every run; a failure can be repeated with `LETHE_TEST_SEED`, which the failing test's file prints. */
export const seed = Number(process.env.LETHE_TEST_SEED ?? Date.now() % 1_000_000);
console.info(`LETHE_TEST_SEED=${seed}`);

let state = seed >>> 0;

/** Uniform in [0, 1): mulberry32. */
export function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Whole number in [low, high]. */
export function integer(low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** About standard normal, as f32 values. */
export function normal(count: number, scale = 1): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random()) * scale;
  });
}

/**
 * The entries of a dynamic (tree) map of 8 bits in ascending order (Dettmers et al. 2022, section 2.2), by the steps of bitsandbytes'
 * `create_dynamic_map(signed, max_exponent_bits=7, total_bits=8)`: the index of an entry is its code.
 */
export function dynamicMap(signed: boolean): Float64Array {
  const entries = [0, 1];
  for (let i = 0; i < 7; i++) {
    const items = 2 ** (signed ? i : i + 1);
    const boundary = (k: number) => 0.1 + (0.9 * k) / items;
    for (let k = 0; k < items; k++) {
      const mean = 10 ** (i - 6) * ((boundary(k) + boundary(k + 1)) / 2);
      entries.push(mean);
      if (signed) entries.push(-mean);
    }
  }
  return Float64Array.from(entries).sort();
}

/** The code of the entry nearest to x, and how far x is from where the next nearest would be taken. */
export function nearest(map: Float64Array, x: number): { code: number; margin: number } {
  const distances = map.map((entry) => Math.abs(entry - x));
  let code = 0;
  for (let i = 1; i < map.length; i++) if (distances[i]! < distances[code]!) code = i;
  const next = Math.min(distances[code - 1] ?? Infinity, distances[code + 1] ?? Infinity);
  return { code, margin: (next - distances[code]!) / 2 };
}

/**
 * The layers restored around a centre: centre − radius … centre + radius, clipped at the ends (arXiv 2410.06606, Section 3, has
 * radius 2). Windows at the ends are narrower: the last two of radius 2 cover four and three layers.
 */
export function windowAround(centre: number, radius: number, depth: number): number[] {
  const first = Math.max(0, centre - radius);
  const last = Math.min(depth - 1, centre + radius);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

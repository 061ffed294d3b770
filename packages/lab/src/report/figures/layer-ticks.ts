/** Where an axis of layers has ticks: every layer of a shallow model, about twelve round numbers of a deep one. */
export function layerTicks(layers: number): number[] {
  const step = [1, 2, 4, 5, 8, 10, 20].find((candidate) => layers / candidate <= 12) ?? 50;
  return Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
}

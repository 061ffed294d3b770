/** “26.95 GB”, “650 MB”, “13 kB” */
export function showBytes(bytes: number): string {
  const [unit, divisor] = bytes >= 1e9 ? ["GB", 1e9] : bytes >= 1e6 ? ["MB", 1e6] : ["kB", 1e3];
  return `${Number((bytes / divisor).toPrecision(4)).toLocaleString("en-US")} ${unit}`;
}

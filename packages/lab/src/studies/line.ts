import { z } from "zod";

/** Seconds that grow with a size as `fixed + each · size`. */
export const lineSchema = z.strictObject({ fixed: z.number().min(0), each: z.number().min(0) });
export type Line = z.infer<typeof lineSchema>;

/** A pass that takes longer than this, in seconds, is measured once. */
export const LONG = 3;

/** The seconds of a line at a size. */
export function at({ fixed, each }: Line, size: number): number {
  return fixed + each * size;
}

/** The line through two measurements; where noise makes it fall, one through the origin and the larger size. */
export function lineThrough(
  [smallSize, small]: readonly [number, number],
  [largeSize, large]: readonly [number, number],
): Line {
  const each = (large - small) / (largeSize - smallSize);
  const fixed = small - each * smallSize;
  return largeSize > smallSize && each >= 0 && fixed >= 0 ? { fixed, each } : { fixed: 0, each: large / largeSize };
}

import type { Site } from "@lethe/hooks";
import type { Setting } from "../experiment/cell.ts";

/** The hook points that each setting of the paper's Figure 1 puts back. */
export const sitesOf: Readonly<Record<Setting, readonly Site[]>> = {
  m: ["m"],
  W_V: ["W_V"],
  A: ["A"],
  "m+A": ["m", "A"],
};

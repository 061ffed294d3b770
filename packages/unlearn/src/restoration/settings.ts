import type { Site } from "@lethe/hooks";

/** What is restored: the MLP coefficients, the value vectors, the attention states, or the first and the last together. */
export const SETTINGS = ["m", "W_V", "A", "m+A"] as const;
export type Setting = (typeof SETTINGS)[number];

/** The hook points that each setting of the paper's Figure 1 puts back. */
export const sitesOf: Readonly<Record<Setting, readonly Site[]>> = {
  m: ["m"],
  W_V: ["W_V"],
  A: ["A"],
  "m+A": ["m", "A"],
};

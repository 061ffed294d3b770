import { anyObject, checked, listOf } from "@lethe/tensor/checked";
import type { WeightComparison, WeightSquares } from "./compare.ts";

/** The sums of squares of several weights together, as if they were one. @function */
export const squaresTogether = checked(
  "squaresTogether",
  { weights: listOf(anyObject) },
  (weights: readonly WeightSquares[]): WeightSquares => {
    const sum = (which: keyof WeightSquares) => weights.reduce((total, weight) => total + weight[which], 0);
    return { vanilla: sum("vanilla"), unlearned: sum("unlearned"), change: sum("change") };
  },
);

/**
 * Cosine similarity of the unlearned weight and the vanilla one, `⟨W, W + ΔW⟩ / (‖W‖ ‖W + ΔW‖)`, as
 * `1 − (‖ΔW‖² − (‖W + ΔW‖ − ‖W‖)²) / (2 ‖W‖ ‖W + ΔW‖)`: so the last digits of a number close to 1 are right. Null where one of the two is zero.
 * @function
 */
export const weightCosine = checked(
  "weightCosine",
  { squares: anyObject },
  ({ vanilla, unlearned, change }: WeightSquares): number | null => {
    const [before, after] = [Math.sqrt(vanilla), Math.sqrt(unlearned)];
    if (before === 0 || after === 0) return null;
    return Math.min(1, 1 - (change - (after - before) ** 2) / (2 * before * after));
  },
);

/** `‖ΔW‖ / ‖W‖` with the Frobenius norm; null where the vanilla weight is zero. @function */
export const relativeChange = checked(
  "relativeChange",
  { squares: anyObject },
  ({ vanilla, change }: WeightSquares): number | null => (vanilla === 0 ? null : Math.sqrt(change / vanilla)),
);

/** `‖ΔW‖₂ / ‖W‖₂` with the spectral norm; null for a vector and where the vanilla weight is zero. @function */
export const relativeSpectralChange = checked(
  "relativeSpectralChange",
  { weight: anyObject },
  ({ spectral }: WeightComparison): number | null =>
    spectral === null || spectral.vanilla === 0 ? null : spectral.change / spectral.vanilla,
);

/**
 * The stable rank of the change, `‖ΔW‖² / ‖ΔW‖₂²` (Rudelson & Vershynin 2007): 1 for a change in one direction, at most the rank. Null for a
 * vector and where nothing changed.
 * @function
 */
export const stableRank = checked(
  "stableRank",
  { weight: anyObject },
  ({ change, spectral }: WeightComparison): number | null =>
    spectral === null || spectral.change === 0 ? null : change / spectral.change ** 2,
);

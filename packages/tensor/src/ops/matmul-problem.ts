import type { FloatDType } from "../dtype.ts";

/** A product `[batch, m, k] @ [batch, k, n]`, and how its operands are stored. */
export interface MatmulProblem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  /** `a` is stored `[k, m]`. */
  readonly transposeA: boolean;
  /** `b` is stored `[n, k]`. */
  readonly transposeB: boolean;
  /** Dtype of `b`. */
  readonly dtype: FloatDType;
  /** Every row of `b`, as stored, begins at a multiple of four elements. */
  readonly aligned: boolean;
  /** Every row of `a` does. */
  readonly alignedA: boolean;
}

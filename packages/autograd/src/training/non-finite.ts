import { type F32, LetheError } from "@lethe/tensor";

/** The step at which a training run broke. */
export interface Breakdown {
  /** Counted from 1. */
  readonly step: number;
  /** The micro-batches with a non-finite loss. When every loss is finite: all micro-batches of the step. */
  readonly batches: readonly string[];
  /** Parameters with a non-finite gradient. */
  readonly parameters: readonly string[];
  readonly loss: number;
  readonly gradientNorm: number;
}

/** A loss or a gradient was not finite. The parameters are useless from that step on. */
export class NonFiniteError extends LetheError {
  override readonly name = "NonFiniteError";
  readonly breakdown: Breakdown;

  constructor(breakdown: Breakdown) {
    const { step, batches, parameters, loss, gradientNorm } = breakdown;
    const named = parameters.slice(0, 3).join(", ");
    const rest = parameters.length > 3 ? ` and ${parameters.length - 3} more` : "";
    super(
      `training stopped at step ${step}: loss ${loss}, gradient norm ${gradientNorm}, on ${batches.join(", ")}. ` +
        (parameters.length > 0
          ? `Gradients that are not finite: ${named}${rest}. `
          : "The gradient of every parameter is finite. ") +
        "Start again from the last good weights with a lower learning rate or clipping, and look at that batch.",
    );
    this.breakdown = breakdown;
  }
}

/**
 * Names of the parameters whose gradient was not finite.
 * @param squares sum of squares of each one's gradient, in the order of `names`
 */
export async function nonFiniteParameters(names: readonly string[], squares: F32): Promise<string[]> {
  const values = await squares.read();
  return names.filter((_, i) => !Number.isFinite(values[i]));
}

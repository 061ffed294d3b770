import { type F32, LetheError } from "@lethe/tensor";

/** Where a training run broke. */
export interface Breakdown {
  /** Counted from 1. */
  readonly step: number;
  /** Micro-batches with a non-finite loss or, when every loss is finite, all of the step's. */
  readonly batches: readonly string[];
  /** Parameters with a non-finite gradient. */
  readonly parameters: readonly string[];
  readonly loss: number;
  readonly gradientNorm: number;
}

/** A loss or a gradient was not finite. The parameters are spoilt from that step on. */
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
          : "Every single parameter's gradient is finite. ") +
        "Start again from the last good weights with a lower learning rate or clipping, and look at that batch.",
    );
    this.breakdown = breakdown;
  }
}

/** Reads which parameters' gradients were not finite, from the sum of squares of each. */
export async function nonFiniteParameters(names: readonly string[], squares: F32): Promise<string[]> {
  const values = await squares.read();
  return names.filter((_, i) => !Number.isFinite(values[i]));
}

import { LetheError } from "@lethe/tensor";

/** A metric was asked of numbers for which it is not defined. */
export class MetricError extends LetheError {
  override readonly name = "MetricError";
}

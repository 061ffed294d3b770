/** A metric was asked of numbers for which it is not defined. */
export class MetricError extends Error {
  override readonly name = "MetricError";
}

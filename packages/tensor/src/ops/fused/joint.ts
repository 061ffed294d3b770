import { ShapeError } from "../../errors.ts";
import { joined } from "../../joined.ts";
import { layerNorm, rmsNorm } from "../norm.ts";
import type { F32, Weight } from "../ops.ts";
import type { NormFirst } from "./fused-ops.ts";

/** The matrix that adjacent weights make. @throws {ShapeError} */
export function jointWeight(operation: string, weights: readonly Weight[]): Weight {
  const joint = joined<Weight["dtype"]>(weights);
  if (joint) return joint;
  const labels = weights.map(({ label }) => label).join(", ");
  throw new ShapeError(`${operation}: ${labels} do not lie adjacent in one buffer, in this order; see \`together\``);
}

/** norm(x), or x without a norm, by a handle of its own. */
export function normalized(x: F32, weight: Weight | null, norm: NormFirst | undefined): F32 {
  if (!norm) return x.reshape(x.shape);
  const { kind, eps } = norm;
  return kind === "rms" ? rmsNorm(x, weight, { eps }) : layerNorm(x, weight, null, { eps });
}

import type { WeightComparison } from "@lethe/unlearn";
import { z } from "zod";

export const weightsOptions = z.strictObject({});
export type WeightsOptions = z.infer<typeof weightsOptions>;

const measured = z.number().min(0);

export interface WeightsResult {
  /** One entry a weight, in the order of the vanilla model's: the sums and norms of `compareWeights`. */
  readonly weights: readonly WeightComparison[];
}

export const weightsSchema: z.ZodType<WeightsResult> = z.strictObject({
  weights: z
    .array(
      z.strictObject({
        name: z.string(),
        shape: z.array(z.number().int().min(1)).min(1),
        vanilla: measured,
        unlearned: measured,
        change: measured,
        spectral: z.strictObject({ vanilla: measured, change: measured }).nullable(),
      }),
    )
    .min(1),
});

import { LetheError } from "@lethe/tensor";
import { atLeast, checked, notNegative, options } from "@lethe/tensor/checked";

/** Learning rate of an optimiser step, counted from 0. */
export type Schedule = (step: number) => number;

interface ScheduleSettings {
  /** The highest learning rate. */
  readonly peak: number;
  /** Steps over which the rate rises from 0. Step 0 has the rate 0, as in the Hugging Face Trainer. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

const settings = { peak: notNegative, warmupSteps: atLeast(0), totalSteps: atLeast(0) };

/**
 * Rises linearly to the peak, then falls linearly to 0 at `totalSteps`: `get_linear_schedule_with_warmup` of `transformers`.
 * @throws {LetheError} when a setting is negative, or the warm-up is longer than the training
 * @function
 */
export const linearDecay = checked(
  "linearDecay",
  { settings: options(settings) },
  (settings: ScheduleSettings): Schedule => withWarmup(settings, (progress) => 1 - progress),
);

/**
 * Rises linearly to the peak, then follows half a cosine down to `floor · peak`, where it stays.
 * @throws {LetheError} when a setting is negative, or the warm-up is longer than the training
 * @function
 */
export const cosineDecay = checked(
  "cosineDecay",
  { settings: options({ ...settings, floor: notNegative }) },
  ({ floor, ...settings }: ScheduleSettings & { readonly floor: number }): Schedule =>
    withWarmup(settings, (progress) => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress))),
);

function withWarmup(
  { peak, warmupSteps, totalSteps }: ScheduleSettings,
  decay: (progress: number) => number,
): Schedule {
  if (warmupSteps > totalSteps)
    throw new LetheError(`schedule: ${warmupSteps} warm-up steps of ${totalSteps} steps; expected at most all steps`);
  return (step) => {
    if (step < warmupSteps) return (peak * step) / warmupSteps;
    return peak * decay(Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps)));
  };
}

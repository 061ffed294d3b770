import { LetheError } from "@lethe/tensor";

/** Learning rate of an optimiser step, counted from 0. */
export type Schedule = (step: number) => number;

interface Span {
  /** The highest learning rate. */
  readonly peak: number;
  /** Steps over which it rises from 0; step 0 has 0, as in the Hugging Face Trainer. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** Rises linearly to the peak, then falls linearly to 0 at `totalSteps`: `get_linear_schedule_with_warmup` of `transformers`. */
export function linearDecay(span: Span): Schedule {
  return withWarmup(span, (progress) => 1 - progress);
}

/** Rises linearly to the peak, then follows half a cosine down to `floor · peak`, where it stays. */
export function cosineDecay({ floor, ...span }: Span & { readonly floor: number }): Schedule {
  return withWarmup(span, (progress) => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

function withWarmup({ peak, warmupSteps, totalSteps }: Span, decay: (progress: number) => number): Schedule {
  if (!(peak >= 0 && warmupSteps >= 0 && totalSteps >= warmupSteps))
    throw new LetheError(
      `schedule: peak ${peak}, ${warmupSteps} warm-up steps of ${totalSteps}; none may be negative, nor the warm-up longer than the whole`,
    );
  return (step) => {
    if (step < warmupSteps) return (peak * step) / warmupSteps;
    return peak * decay(Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps)));
  };
}

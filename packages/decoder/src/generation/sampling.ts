/** How the next token is drawn. */
export interface Sampling {
  /** The logits are divided by it. 0, the default, always takes the likeliest token. */
  readonly temperature?: number;
  /** Draws among this many likeliest tokens. */
  readonly topK?: number;
  /** Draws among the likeliest tokens that together reach this probability (Holtzman et al. 2020). */
  readonly topP?: number;
}

/** The largest logit of a row; NaN where any is NaN. */
export function largestOf(logits: Float32Array): number {
  return logits.reduce((largest, logit) => Math.max(largest, logit), Number.NEGATIVE_INFINITY);
}

/**
 * Draws a token from one row of logits, as `transformers` does: temperature, then top-k, then top-p. Tokens at −∞ are never drawn;
 * where there are tokens at +∞, one of them is.
 * @param logits without NaN, and with one above −∞
 * @param uniform a number in [0, 1)
 */
export function sample(logits: Float32Array, sampling: Sampling, uniform: number): number {
  const { temperature = 1, topK = logits.length, topP = 1 } = sampling;
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const largest = logits[order[0]!]!;
  // Tokens with the same logit as the k-th are kept, as in `transformers`.
  const threshold = logits[order[Math.min(topK, order.length) - 1]!]!;
  const kept = order.filter((id) => logits[id]! >= threshold);
  // ∞ − ∞ would be NaN.
  const weights = kept.map((id) => (logits[id] === largest ? 1 : Math.exp((logits[id]! - largest) / temperature)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let nucleus = 0;
  let mass = 0;
  while (nucleus < kept.length && (nucleus === 0 || mass < topP * total)) mass += weights[nucleus++]!;
  let left = uniform * mass;
  for (let i = 0; i < nucleus; i++) {
    left -= weights[i]!;
    if (left < 0) return kept[i]!;
  }
  return kept[nucleus - 1]!;
}

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
 * where there are tokens at +∞, one of them is. Where top-k and top-p leave every token, nothing is sorted: a large vocabulary would
 * take far longer to sort than to read.
 * @param logits without NaN, and with one above −∞
 * @param uniform a number in [0, 1)
 */
export function sample(logits: Float32Array, sampling: Sampling, uniform: number): number {
  const { temperature = 1, topK = logits.length, topP = 1 } = sampling;
  if (topP === 1 && topK >= logits.length) return drawn(weightsOf(logits, largestOf(logits), temperature), 1, uniform);
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  // Tokens with the same logit as the k-th are kept, as in `transformers`.
  const threshold = logits[order[Math.min(topK, order.length) - 1]!]!;
  const kept = order.filter((id) => logits[id]! >= threshold);
  const likeliestFirst = Float32Array.from(kept, (id) => logits[id]!);
  return kept[drawn(weightsOf(likeliestFirst, likeliestFirst[0]!, temperature), topP, uniform)]!;
}

/** Numbers in the proportions of the tokens' probabilities; 1 for the largest logit. */
function weightsOf(logits: Float32Array, largest: number, temperature: number): Float64Array {
  // ∞ − ∞ would be NaN.
  return new Float64Array(logits).map((logit) => (logit === largest ? 1 : Math.exp((logit - largest) / temperature)));
}

/** Draws a place among the first that together have the share `topP` of all weights, and at least one. */
function drawn(weights: Float64Array, topP: number, uniform: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [nucleus, mass] = [0, 0];
  while (nucleus < weights.length && (nucleus === 0 || mass < topP * total)) mass += weights[nucleus++]!;
  let left = uniform * mass;
  for (let i = 0; i < nucleus; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  // Rounding left a little. A token of weight 0 has no probability.
  return weights.subarray(0, nucleus).findLastIndex((weight) => weight > 0);
}

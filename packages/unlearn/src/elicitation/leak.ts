import { atLeast, checked } from "@lethe/tensor/checked";
import { MetricError } from "../metrics/metric-error.ts";

/**
 * Leak@k: the chance that at least one of k answers is right, where of n drawn answers c are (arXiv 2511.04934), 1 − C(n − c, k) / C(n, k). It
 * is the mean over all choices of k of the n answers, and so an unbiased estimate for k fresh ones.
 *
 * The quotient of the binomials is a product of min(c, k) factors, whose logarithms are summed: nothing overflows, and a small chance
 * keeps its digits.
 * @param n drawn answers
 * @param c how many of them are right
 * @param k from 1
 * @throws {MetricError} when c or k is above n
 * @function
 */
export const leakAtK = checked(
  "leakAtK",
  { n: atLeast(1), c: atLeast(0), k: atLeast(1) },
  (n: number, c: number, k: number): number => {
    if (c > n) throw new MetricError(`leakAtK: ${c} of ${n} answers are right; expected no more than all`);
    if (k > n)
      throw new MetricError(`leakAtK: one of ${k} answers, of only ${n} drawn ones; draw more, or ask for a smaller k`);
    if (n - c < k) return 1;
    // C(n − c, k) / C(n, k) = C(n − k, c) / C(n, c).
    const [factors, other] = c < k ? [c, k] : [k, c];
    let logarithm = 0;
    for (let i = 0; i < factors; i++) logarithm += Math.log1p(-other / (n - i));
    // 0 − x and not −x, which gives a negative zero.
    return 0 - Math.expm1(logarithm);
  },
);

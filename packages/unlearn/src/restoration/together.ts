/**
 * A pass over fewer values, tokens × width, takes much of its time to start its kernels. On Mesa's adapter, in CPU time and with 10 questions
 * of 25 tokens of width 64 (16,000 values), windows in groups of 8 take 12% less than one by one, and groups of 12 no less than of 8; with
 * 600 tokens of width 576 (345,600 values) groups of 4 win 4%, for four times the activations. On SwiftShader 16,000 values win 3%.
 */
const FILLING = 2 ** 18;

/** How many windows go through the layers as one batch. @param size of a window's residual stream, in values */
export function windowsTogether(size: number): number {
  return Math.max(1, Math.floor(FILLING / size));
}

/** Rows of `log softmax(x)`. */
export function logSoftmaxRows(x: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += width) {
    let largest = -Infinity;
    for (let c = 0; c < width; c++) largest = Math.max(largest, x[first + c]!);
    let sum = 0;
    for (let c = 0; c < width; c++) sum += Math.exp(x[first + c]! - largest);
    for (let c = 0; c < width; c++) out[first + c] = x[first + c]! - largest - Math.log(sum);
  }
  return out;
}

/** `−log softmax(logits)[label]` of each row; 0 for label −100. */
export function crossEntropyRows(logits: ArrayLike<number>, labels: ArrayLike<number>, width: number): Float64Array {
  const logs = logSoftmaxRows(logits, width);
  return Float64Array.from(labels, (label, row) => (label === -100 ? 0 : -logs[row * width + label]!));
}

/** `KL(softmax(reference) ‖ softmax(logits))` of each row; 0 for label −100. */
export function klDivergenceRows(
  reference: ArrayLike<number>,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  width: number,
): Float64Array {
  const [p, q] = [logSoftmaxRows(reference, width), logSoftmaxRows(logits, width)];
  return Float64Array.from(labels, (label, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += Math.exp(p[i]!) * (p[i]! - q[i]!);
    return label === -100 ? 0 : sum;
  });
}

/** Sums the losses of tokens up, as the operations' `reduction` says; `span` is the length of a sequence. */
export function reduceTokens(
  losses: ArrayLike<number>,
  labels: ArrayLike<number>,
  reduction: "none" | "sequence" | "mean",
  span: number,
): Float64Array {
  if (reduction === "none") return Float64Array.from(losses);
  if (reduction === "sequence") {
    const sums = new Float64Array(losses.length / span);
    for (let k = 0; k < losses.length; k++) sums[Math.floor(k / span)]! += losses[k]!;
    return sums;
  }
  let [sum, count] = [0, 0];
  for (let k = 0; k < losses.length; k++) {
    if (labels[k] === -100) continue;
    sum += losses[k]!;
    count++;
  }
  return Float64Array.of(sum / Math.max(count, 1));
}

import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { AttentionOptions } from "./ops.ts";

type F32<S extends Shape = Shape> = Tensor<S, "f32">;

/**
 * Causal softmax attention, `softmax(scale · Q Kᵀ) V`, with scores that are never stored (Dao et al. 2022).
 * @param q `[B, T, H, D]`; query t stands at key index `length − T + t`
 * @param k `[B, S, G, D]`; query head h reads key head `h / (H/G)`
 * @param v `[B, S, G, D]`
 * @returns `[B, T, H, D]`; zeros for a query left of its sequence's start
 * @throws {ShapeError} when the shapes do not fit, or D is not a multiple of 4 up to 256.
 */
export function attention<S extends Shape>(q: F32<S>, k: F32, v: F32, options: AttentionOptions = {}): F32<S> {
  return q.device.scoped("attention", () => attentionForward(q, k, v, options).output);
}

/**
 * {@link attention} and the logarithm of each query's sum of exponentials, `[B, H, T]`: all that its gradient needs in place
 * of the scores. It is 0 for a query left of its sequence's start.
 */
export function attentionForward<S extends Shape>(
  q: F32<S>,
  k: F32,
  v: F32,
  options: AttentionOptions = {},
): { output: F32<S>; logSumExp: F32<[number, number, number]> } {
  const { params, starts } = describe("attention", q, k, v, options);
  const { batch, queries, heads } = params;
  const device = q.device;
  const output = device.empty(q.shape, "f32", "attention");
  const logSumExp = device.empty([batch, heads, queries], "f32", "attention logSumExp");
  const lanes = 8;
  device.dispatch({
    kernel: "attention",
    constants: { VECTORS: q.shape[3]! / 4, LANES: lanes },
    bindings: { q, k, v, starts, out: output, log_sum_exp: logSumExp },
    params,
    workgroups: device.grid(batch * heads * Math.ceil(queries / lanes)),
  });
  return { output, logSumExp };
}

/** Checks the arguments of an attention and gives what every one of its kernels is told. */
function describe(operation: string, q: F32, k: F32, v: F32, options: AttentionOptions) {
  const [batch = 0, queries = 0, heads = 0, width = 0] = q.shape;
  const [keyBatch, capacity = 0, groups = 0, keyWidth] = k.shape;
  if (q.shape.length !== 4 || k.shape.length !== 4 || keyBatch !== batch || keyWidth !== width)
    throw new ShapeError(
      `${operation}: q is ${show(q.shape)} and k ${show(k.shape)}; expected [B, T, H, D] and [B, S, G, D]`,
    );
  if (v.shape.length !== 4 || v.shape.some((dim, i) => dim !== k.shape[i]))
    throw new ShapeError(`${operation}: k is ${show(k.shape)} and v ${show(v.shape)}; they must be alike`);
  if (groups === 0 || heads % groups !== 0)
    throw new ShapeError(`${operation}: ${heads} query heads cannot share ${groups} key heads evenly`);
  if (width % 4 !== 0 || width > 256 || width === 0)
    throw new ShapeError(`${operation}: head size ${width}; expected a multiple of 4 up to 256`);
  const { starts, length = capacity, scale = 1 / Math.sqrt(width) } = options;
  if (!Number.isInteger(length) || length > capacity || length < queries)
    throw new ShapeError(
      `${operation}: length ${length} with ${queries} queries and ${capacity} keys; expected a whole number of at least the queries and at most the keys`,
    );
  if (starts && (starts.shape.length !== 1 || starts.shape[0] !== batch))
    throw new ShapeError(`${operation}: starts are ${show(starts.shape)}; expected [${batch}]`);
  return {
    params: { batch, queries, capacity, length, heads, groups, padded: starts ? 1 : 0, scale },
    // Something must be bound; without padding it is not read.
    starts: starts ?? q,
  };
}

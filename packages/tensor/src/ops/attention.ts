import { ShapeError } from "../errors.ts";
import { checkSameShape, type Shape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { type AttentionFamily, planAttention, planAttentionBackward } from "./attention-plan.ts";
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
 * @param forced overrides the choice of kernel, for tests and benchmarks.
 */
export function attentionForward<S extends Shape>(
  q: F32<S>,
  k: F32,
  v: F32,
  options: AttentionOptions = {},
  forced?: AttentionFamily,
): { output: F32<S>; logSumExp: F32<[number, number, number]> } {
  const { params, starts, width } = describe("attention", q, k, v, options);
  const { batch, queries, heads } = params;
  const device = q.device;
  const output = device.empty(q.shape, "f32", "attention");
  const logSumExp: F32<[number, number, number]> = device.empty([batch, heads, queries], "f32", "attention logSumExp");
  const { kernel, constants, workgroups, stretches } = planAttention(device.capabilities, { ...params, width }, forced);
  const [x, y] = device.grid(workgroups);
  const run = (out: Tensor, log_sum_exp: Tensor) =>
    device.dispatch({
      kernel,
      constants,
      bindings: { q, k, v, starts, out, log_sum_exp },
      params,
      workgroups: [x, y, stretches],
    });
  if (stretches === 1) run(output, logSumExp);
  else {
    using _ = device.scope("attention over stretches");
    const parts = device.empty([stretches, ...q.shape], "f32", "attention parts");
    const part_sums = device.empty([stretches, batch, heads, queries], "f32", "attention part sums");
    run(parts, part_sums);
    device.dispatch({
      kernel: "attention_decode_combine",
      bindings: { parts, part_sums, out: output, log_sum_exp: logSumExp },
      params: { batch, queries, heads, vectors: width / 4, stretches },
      workgroups: device.grid(Math.ceil(q.size / 256)),
    });
  }
  return { output, logSumExp };
}

/**
 * Gradients of {@link attention}. Probabilities are computed again from the scores and `logSumExp` (Dao et al. 2022); sums
 * run in a fixed order. Keys that no query sees get zeros.
 * @param output `[B, T, H, D]` and
 * @param logSumExp `[B, H, T]`, both from {@link attentionForward} on the same arguments
 * @param gradient with respect to the output, `[B, T, H, D]`
 * @param forced overrides the choice of kernels, for tests and benchmarks.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function attentionBackward<Q extends Shape, K extends Shape>(
  q: F32<Q>,
  k: F32<K>,
  v: F32<K>,
  output: F32,
  logSumExp: F32,
  gradient: F32,
  options: AttentionOptions = {},
  forced?: AttentionFamily,
): { q: F32<Q>; k: F32<K>; v: F32<K> } {
  const { params, starts, width } = describe("attentionBackward", q, k, v, options);
  const { batch, queries, heads } = params;
  checkSameShape("attentionBackward, output and q", output.shape, q.shape);
  checkSameShape("attentionBackward, gradient and q", gradient.shape, q.shape);
  checkSameShape("attentionBackward, logSumExp", logSumExp.shape, [batch, heads, queries]);
  const device = q.device;
  const gradients = {
    q: device.empty(q.shape, "f32", "attention gradient of q"),
    k: device.empty(k.shape, "f32", "attention gradient of k"),
    v: device.empty(v.shape, "f32", "attention gradient of v"),
  };
  using _ = device.scope("attentionBackward");
  const rows = device.empty([batch, heads, queries, 2], "f32", "attention rows");
  device.dispatch({
    kernel: "attention_delta",
    constants: { VECTORS: width / 4 },
    bindings: { output, gradient, log_sum_exp: logSumExp, rows },
    params: { batch, queries, heads },
    workgroups: device.grid(Math.ceil((batch * queries * heads) / 64)),
  });
  const plan = planAttentionBackward(device.capabilities, { ...params, width }, forced);
  const bindings = { q, k, v, starts, gradient, rows };
  device.dispatch({
    ...plan.q,
    bindings: { ...bindings, out: gradients.q },
    params,
    workgroups: device.grid(plan.q.workgroups),
  });
  device.dispatch({
    ...plan.kv,
    bindings: { ...bindings, out_k: gradients.k, out_v: gradients.v },
    params,
    workgroups: device.grid(plan.kv.workgroups),
  });
  return gradients;
}

/**
 * The attention pattern, `[B, H, T, L]` over the L keys in use: what each query takes from each key. Stored in full, for hooks;
 * {@link attendWithPattern} goes on from it, and the two together agree with {@link attention}.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function attentionPattern(q: F32, k: F32, options: AttentionOptions = {}): F32 {
  const { params, starts, width } = describe("attentionPattern", q, k, k, options);
  const { batch, queries, heads, length } = params;
  const device = q.device;
  const out = device.empty([batch, heads, queries, length], "f32", "attention pattern");
  device.dispatch({
    kernel: "attention_pattern",
    constants: { VECTORS: width / 4 },
    bindings: { q, k, starts, out },
    params,
    workgroups: device.grid(Math.ceil((batch * heads * queries) / 64)),
  });
  return out;
}

/**
 * Values mixed by a pattern, `[B, H, T, L]` with `[B, S, G, D]` (L ≤ S), giving `[B, T, H, D]`. The pattern need not be causal
 * or sum to one.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function attendWithPattern(pattern: F32, v: F32): F32 {
  const [batch = 0, heads = 0, queries = 0, length = 0] = pattern.shape;
  const [valueBatch, capacity = 0, groups = 0, width = 0] = v.shape;
  const fits = pattern.shape.length === 4 && v.shape.length === 4 && batch === valueBatch && length <= capacity;
  if (!fits || heads % groups !== 0 || width % 4 !== 0)
    throw new ShapeError(
      `attendWithPattern: the pattern is ${show(pattern.shape)} and v ${show(v.shape)}; expected [B, H, T, L] and [B, S, G, D] with L at most S, G dividing H and 4 dividing D`,
    );
  const device = v.device;
  const out = device.empty([batch, queries, heads, width], "f32", "attention");
  device.dispatch({
    kernel: "attention_with_pattern",
    constants: { VECTORS: width / 4 },
    bindings: { pattern, v, out },
    params: { batch, queries, capacity, length, heads, groups },
    workgroups: device.grid(Math.ceil(out.size / 256)),
  });
  return out;
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
    params: { batch, queries, capacity, length, heads, groups, vectors: width / 4, padded: starts ? 1 : 0, scale },
    // Something must be bound; without padding it is not read.
    starts: starts ?? q,
    width,
  };
}

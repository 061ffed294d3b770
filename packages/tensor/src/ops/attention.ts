import { atLeast, finite, flag, oneOf, optional, options } from "../arguments.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show } from "../shape.ts";
import { runAttention } from "./attention-parts.ts";
import { type AttentionFamily, attentionFamilies, planAttentionBackward } from "./attention-plan.ts";
import { checkShapes } from "./check.ts";
import { checked, f32, u32 } from "./checked.ts";
import type { AttentionOptions, F32, Ops } from "./ops.ts";

const attentionOptions = options({
  starts: optional(u32),
  length: optional(atLeast(0)),
  scale: optional(finite),
  causal: optional(flag),
});
const inputs = { q: f32, k: f32, v: f32 };
const forcedFamily = optional(oneOf(attentionFamilies));

/** {@inheritDoc DifferentiableOps.attention} @function */
export const attention: Ops["attention"] = checked(
  "attention",
  { ...inputs, options: attentionOptions },
  (q, k, v, options) => q.device.scoped("attention", () => attentionForward(q, k, v, options).output),
);

/**
 * {@inheritDoc BackwardOps.attentionForward}
 * @param forced overrides the choice of kernel, for tests, benchmarks and `mixedOps`.
 */
export const attentionForward = checked(
  "attentionForward",
  { ...inputs, options: attentionOptions, forced: optional(oneOf([...attentionFamilies, "mixed"] as const)) },
  <S extends Shape>(
    q: F32<S>,
    k: F32,
    v: F32,
    options?: AttentionOptions,
    forced?: AttentionFamily | "mixed",
  ): { output: F32<S>; logSumExp: F32 } => {
    const { params, starts, CAUSAL } = describe("attention", q, k, v, options);
    const { batch, queries, heads } = params;
    const device = q.device;
    const output = device.empty(q.shape, "f32", "attention");
    const logSumExp = device.empty([batch, heads, queries], "f32", "attention logSumExp");
    const forward = { q, k, v, starts, out: output, log_sum_exp: logSumExp, CAUSAL, forced };
    runAttention(device, forward, params);
    return { output, logSumExp };
  },
);

/**
 * {@inheritDoc BackwardOps.attentionBackward}
 * @param forced overrides the choice of kernels, for tests and benchmarks.
 */
export const attentionBackward = checked(
  "attentionBackward",
  { ...inputs, output: f32, logSumExp: f32, gradient: f32, options: attentionOptions, forced: forcedFamily },
  (
    q: F32,
    k: F32,
    v: F32,
    output: F32,
    logSumExp: F32,
    gradient: F32,
    options?: AttentionOptions,
    forced?: AttentionFamily,
  ): { q: F32; k: F32; v: F32 } => {
    const { params, starts, width, CAUSAL } = describe("attentionBackward", q, k, v, options);
    const { batch, queries, heads } = params;
    checkShapes("attentionBackward", { output, gradient }, q.shape);
    checkShapes("attentionBackward", { logSumExp }, [batch, heads, queries]);
    const device = q.device;
    const gradients = {
      q: device.empty(q.shape, "f32", "attention gradient of q"),
      k: device.empty(k.shape, "f32", "attention gradient of k"),
      v: device.empty(v.shape, "f32", "attention gradient of v"),
    };
    using _ = device.scope("attentionBackward");
    const rows = device.empty([batch, heads, queries, 3], "f32", "attention rows");
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
      kernel: plan.q.kernel,
      constants: Object.assign({ CAUSAL }, plan.q.constants),
      bindings: Object.assign({}, bindings, { out: gradients.q }),
      params,
      workgroups: device.grid(plan.q.workgroups),
    });
    device.dispatch({
      kernel: plan.kv.kernel,
      constants: Object.assign({ CAUSAL }, plan.kv.constants),
      bindings: Object.assign({}, bindings, { out_k: gradients.k, out_v: gradients.v }),
      params,
      workgroups: device.grid(plan.kv.workgroups),
    });
    return gradients;
  },
);

/** {@inheritDoc DifferentiableOps.attentionPattern} @function */
export const attentionPattern: Ops["attentionPattern"] = checked(
  "attentionPattern",
  { q: f32, k: f32, options: attentionOptions },
  (q, k, options) => {
    const { params, starts, width, CAUSAL } = describe("attentionPattern", q, k, k, options);
    const { batch, queries, heads, length } = params;
    const device = q.device;
    const out = device.empty([batch, heads, queries, length], "f32", "attention pattern");
    device.dispatch({
      kernel: "attention_pattern",
      constants: { VECTORS: width / 4, CAUSAL },
      bindings: { q, k, starts, out },
      params,
      workgroups: device.grid(Math.ceil((batch * heads * queries) / 64)),
    });
    return out;
  },
);

/** {@inheritDoc DifferentiableOps.attendWithPattern} @function */
export const attendWithPattern: Ops["attendWithPattern"] = checked(
  "attendWithPattern",
  { pattern: f32, v: f32 },
  (pattern, v) => {
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
  },
);

/** Checks the shapes of an attention and gives the parameters that all its kernels take. */
function describe(operation: string, q: F32, k: F32, v: F32, options: AttentionOptions = {}) {
  const [batch = 0, queries = 0, heads = 0, width = 0] = q.shape;
  const [keyBatch, capacity = 0, groups = 0, keyWidth] = k.shape;
  if (q.shape.length !== 4 || k.shape.length !== 4 || keyBatch !== batch || keyWidth !== width)
    throw new ShapeError(
      `${operation}: q is ${show(q.shape)} and k ${show(k.shape)}; expected [B, T, H, D] and [B, S, G, D]`,
    );
  checkShapes(operation, { v }, k.shape);
  if (groups === 0 || heads % groups !== 0)
    throw new ShapeError(`${operation}: ${heads} query heads cannot share ${groups} key heads evenly`);
  if (width % 4 !== 0 || width > 256 || width === 0)
    throw new ShapeError(`${operation}: head size ${width}; expected a multiple of 4 up to 256`);
  const { starts, length = capacity, scale = 1 / Math.sqrt(width), causal = true } = options;
  const least = causal ? queries : 1;
  if (length > capacity || length < least)
    throw new ShapeError(
      `${operation}: length ${length} with ${queries} queries and ${capacity} keys; expected a whole number from ${least} to ${capacity}`,
    );
  if (starts) checkShapes(operation, { starts }, [batch]);
  return {
    params: {
      batch,
      queries,
      capacity,
      length,
      heads,
      groups,
      vectors: width / 4,
      padded: starts ? 1 : 0,
      scale,
      stretch: length,
      stretches: 1,
      first_stretch: 0,
    },
    // A binding must be given even where it is not read, without padding.
    starts: starts ?? q,
    width,
    CAUSAL: causal,
  };
}

import { ShapeError } from "../errors.ts";
import type { Binding, Device, Tensor } from "../tensor.ts";
import { planMatrixAttention } from "./attention-matrix-plan.ts";
import { type AttentionFamily, type ForwardPlan, planAttention } from "./attention-plan.ts";
import type { F32 } from "./ops.ts";

/** Sizes and settings of an attention, as its kernels take them. */
export interface AttentionParams {
  readonly batch: number;
  readonly queries: number;
  readonly capacity: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly vectors: number;
  readonly padded: number;
  readonly scale: number;
  /** Keys of one stretch, stretches of all keys, and the first one of a run. */
  readonly stretch: number;
  readonly stretches: number;
  readonly first_stretch: number;
}

/** A forward pass: `q`, `out` `[B, T, H, D]`; `k`, `v` `[B, C, G, D]`; `log_sum_exp` `[B, H, T]`; `starts` is not read without padding. */
interface Forward {
  readonly q: F32;
  readonly k: F32;
  readonly v: F32;
  readonly starts: Tensor;
  readonly out: F32;
  readonly log_sum_exp: F32;
  readonly CAUSAL: boolean;
  /** `mixed`: on matrix units in mixed precision, where the adapter has them and they fit. */
  readonly forced: AttentionFamily | "mixed" | undefined;
}

/** Stretches of a sequence's keys that is larger than a binding begin at multiples of this many keys: at aligned bytes. */
const keyStep = 64;

/**
 * Runs the forward kernels. Where the keys are larger than a binding, they are bound for some sequences at a time, and where those of
 * one sequence still are, for some stretches of them. What belongs to the queries is small beside them and copied.
 */
export function runAttention(device: Device, forward: Forward, params: AttentionParams): void {
  const { q, k, v, starts, out, log_sum_exp } = forward;
  const { maxBindingBytes } = device.capabilities;
  const largest = Math.max(q.bytes, k.bytes);
  if (largest <= maxBindingBytes) {
    runPart(device, forward, params);
    return;
  }
  const { batch } = params;
  const fits = Math.max(1, Math.floor(maxBindingBytes / (largest / batch)));
  for (let start = 0; start < batch; start += fits) {
    using _ = device.scope("attention of some sequences");
    const count = Math.min(fits, batch - start);
    const ownQ = copySequences(q, start, count);
    const part = {
      ...forward,
      q: ownQ,
      k: boundSequences(k, start, count),
      v: boundSequences(v, start, count),
      starts: params.padded ? copySequences(starts, start, count) : ownQ,
      out: device.empty(ownQ.shape, "f32", "attention"),
      log_sum_exp: device.empty([count, params.heads, params.queries], "f32", "attention logSumExp"),
    };
    runPart(device, part, { ...params, batch: count });
    for (const [from, to] of [[part.out, out] as const, [part.log_sum_exp, log_sum_exp] as const])
      device.copyBytes(from, 0, to, (start * to.bytes) / batch, from.bytes);
  }
}

/** A forward pass over sequences whose keys fit one binding, or over one sequence. */
type Part = Omit<Forward, "k" | "v"> & { readonly k: Binding; readonly v: Binding };

function runPart(device: Device, part: Part, params: AttentionParams): void {
  const { k, v, out, log_sum_exp, CAUSAL, forced } = part;
  const { batch, queries, capacity, length, heads, groups, vectors } = params;
  const { maxBindingBytes } = device.capabilities;
  const keyBytes = groups * vectors * 16;
  const whole = batch * capacity * keyBytes <= maxBindingBytes;
  const sizes = { batch, queries, capacity, length, heads, groups, width: vectors * 4 };
  const matrix = whole && forced === "mixed" ? planMatrixAttention(device.capabilities, sizes) : null;
  const family = forced === "mixed" ? undefined : forced;
  const plan = matrix ?? planAttention(device.capabilities, sizes, whole ? family : "decode");
  const { stretch, stretches, perBinding } = whole
    ? { stretch: Math.ceil(length / plan.stretches), stretches: plan.stretches, perBinding: plan.stretches }
    : stretchesOf(plan, length, keyBytes, maxBindingBytes);

  const run = (to: { readonly out: Tensor; readonly log_sum_exp: Tensor }) => {
    const [x, y] = device.grid(plan.workgroups);
    for (let first = 0; first < stretches; first += perBinding) {
      const count = Math.min(perBinding, stretches - first);
      const keys = Math.min(count * stretch, length - first * stretch);
      const bound = (binding: Binding) =>
        whole ? binding : within(binding, first * stretch * keyBytes, keys * keyBytes);
      device.dispatch({
        kernel: plan.kernel,
        constants: Object.assign({ CAUSAL }, plan.constants),
        bindings: {
          q: part.q,
          starts: part.starts,
          k: bound(k),
          v: bound(v),
          out: to.out,
          log_sum_exp: to.log_sum_exp,
        },
        params: Object.assign({} as Record<string, number>, params, { stretch, stretches, first_stretch: first }),
        workgroups: [x, y, count],
      });
    }
  };
  if (stretches === 1) {
    run({ out, log_sum_exp });
    return;
  }
  using _ = device.scope("attention over stretches");
  const parts = device.empty([stretches, ...out.shape], "f32", "attention parts");
  const part_sums = device.empty([stretches, batch, heads, queries], "f32", "attention part sums");
  run({ out: parts, log_sum_exp: part_sums });
  device.dispatch({
    kernel: "attention_decode_combine",
    bindings: { parts, part_sums, out, log_sum_exp },
    params: { batch, queries, heads, vectors, stretches },
    workgroups: device.grid(Math.ceil(out.size / 256)),
  });
}

/** Stretches of keys of which at least one fits a binding, and how many do. */
function stretchesOf(plan: ForwardPlan, length: number, keyBytes: number, maxBindingBytes: number) {
  const fits = Math.floor(maxBindingBytes / keyBytes / keyStep) * keyStep;
  if (fits === 0)
    throw new ShapeError(
      `attention: ${keyStep} keys of ${keyBytes} bytes are larger than one binding (${maxBindingBytes} bytes)`,
    );
  const stretch = Math.min(fits, Math.ceil(length / plan.stretches / keyStep) * keyStep);
  return { stretch, stretches: Math.ceil(length / stretch), perBinding: Math.floor(fits / stretch) };
}

function copySequences<T extends Tensor>(x: T, start: number, count: number): T {
  const [batch = 1, ...rest] = x.shape;
  const copy = x.device.empty([count, ...rest], x.dtype, x.label);
  x.device.copyBytes(x, (start * x.bytes) / batch, copy, 0, copy.bytes);
  return copy as Tensor as T;
}

/** Sequences of a tensor in their place, or a copy where they do not begin at an aligned byte. */
function boundSequences(x: F32, start: number, count: number): Binding {
  const each = x.bytes / x.shape[0]!;
  const aligned = (start * each) % x.device.capabilities.bindingAlignment === 0;
  return aligned ? { tensor: x, offset: start * each, size: count * each } : copySequences(x, start, count);
}

function within(binding: Binding, offset: number, size: number): Binding {
  return "tensor" in binding
    ? { tensor: binding.tensor, offset: binding.offset + offset, size }
    : { tensor: binding, offset, size };
}

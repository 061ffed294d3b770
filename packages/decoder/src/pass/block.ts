import type { Site } from "@lethe/hooks";
import { type F32, type FusedOps, fusedOf } from "@lethe/tensor";
import { attentionScores, patternOf } from "./attention-scores.ts";
import { headOutputs } from "./head-outputs.ts";
import { addBias, type Linear, linear, type Norm, normalize, normalizeAt } from "./modules.ts";
import type { Pass } from "./pass.ts";

/** Norms around a sub-layer; a family has those that it uses. */
interface Norms {
  /** Normalises the input. */
  readonly normBefore?: Norm | undefined;
  /** Normalises the output, before it is added to the residual stream. */
  readonly normAfter?: Norm | undefined;
}

/** An attention sub-layer. */
export interface Attention extends Norms {
  /** Query heads, H. */
  readonly heads: number;
  /** Key heads, G: H for multi-head, 1 for multi-query attention. */
  readonly groups: number;
  /** Width of a head, D. */
  readonly width: number;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Normalises all queries of a token together (QK-norm, OLMo-2). */
  readonly normQuery?: Norm | undefined;
  /** Normalises all keys of a token together. */
  readonly normKey?: Norm | undefined;
  /** Queries, keys and values are limited to this absolute value (OLMo-1's `clip_qkv`). */
  readonly clip?: number | undefined;
  /** Whether one product may give queries, keys and values: their weights are adjacent, and only a rotation comes after it. */
  readonly joint: boolean;
}

/** A gated MLP sub-layer: gate and up are `[n, d]`, down `[d, n]`. */
export interface GatedMlp extends Norms {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
  /** Whether one product may give gate and up. */
  readonly joint: boolean;
}

/** One block: its two sub-layers. */
export interface Block {
  readonly attention: Attention;
  readonly mlp: GatedMlp;
}

/** Hook sites that a block does not have, because it has no norm there. */
export function absentSites({ attention, mlp }: Block): Site[] {
  const norms = {
    ln1_scale: attention.normBefore,
    ln1: attention.normBefore,
    A_before_norm: attention.normAfter,
    ln2_scale: mlp.normBefore,
    ln2: mlp.normBefore,
    M_before_norm: mlp.normAfter,
  };
  return (Object.keys(norms) as (keyof typeof norms)[]).filter((site) => !norms[site]);
}

/** Hook sites on the way to z: where a hook wants one, the kernels that compute past it are not used. */
const beforeZ: readonly Site[] = [
  ...(["ln1_scale", "ln1", "q", "rot_q", "k", "rot_k", "v", "attn_scores", "pattern"] as const),
];
/** Hook sites within the attention sub-layer. */
const inAttention: readonly Site[] = [...beforeZ, "z", "result", "A_before_norm"];
/** Hook sites on the way to m. */
const beforeM: readonly Site[] = ["ln2_scale", "ln2", "gate", "up"];
/** Hook sites of every position, from the MLP on. */
const fromMlp: readonly Site[] = [...beforeM, "m", "M_before_norm", "M", "resid_post"];
/** The same, from the attention's output projection on. */
const fromOutput: readonly Site[] = ["result", "A_before_norm", "A", "resid_mid", ...fromMlp];

/** Takes the rows that are needed of a tensor `[B, T, n]`. */
export type TakeRows = (x: F32) => F32;
const allRows: TakeRows = (x) => x;

/**
 * Runs one block: residual stream `[B, T, d]` in, residual stream out.
 * @param take of the last block, where not all rows of its output are needed: the rows are then taken where attention, which alone
 *   looks at other rows, is done, or after the last hook that could see the others
 */
export function runBlock(
  pass: Pass,
  layer: number,
  entering: F32,
  { attention, mlp }: Block,
  take: TakeRows = allRows,
): F32 {
  const { hooks } = pass;
  const unseen = (sites: readonly Site[]) => take !== allRows && !sites.some((site) => hooks.wants(site, layer));
  const [early, late] = [unseen(fromOutput), unseen(fromMlp)];
  const x = hooks.at("resid_pre", layer, entering);
  const between = addAttention(pass, layer, x, attention, early ? take : allRows);
  const mid = hooks.at("resid_mid", layer, between);
  const out = addMlp(pass, layer, late && !early ? take(mid) : mid, mlp);
  const leaving = hooks.at("resid_post", layer, out);
  return late ? leaving : take(leaving);
}

/** The fused operations, where no hook wants one of the sites that they compute past. */
function fusedPast({ ops, hooks }: Pass, layer: number, sites: readonly Site[]): FusedOps | null {
  const fused = fusedOf(ops);
  return fused && sites.some((site) => hooks.wants(site, layer)) ? null : fused;
}

/** The residual stream x `[B, T, d]` and the attention state of it. */
function addAttention(pass: Pass, layer: number, x: F32, attention: Attention, take: TakeRows): F32 {
  const { output, normAfter } = attention;
  const fused = output.bias || normAfter ? null : fusedPast(pass, layer, ["result", "A"]);
  if (!fused) return pass.ops.add(take(x), attentionState(pass, layer, x, attention, take));
  return pass.scoped("attention", () => {
    const z = mixedValues(pass, layer, x, attention);
    return fused.linearAdd(take(flat(pass, z)), output.weight, take(x));
  });
}

/** The attention sub-layer: residual stream x `[B, T, d]` in, attention state A `[B, T, d]` out, or the rows of it that are taken. */
function attentionState(pass: Pass, layer: number, x: F32, attention: Attention, take: TakeRows): F32 {
  const { hooks, cache } = pass;
  const { normAfter, output } = attention;
  const compute = () => {
    const z = mixedValues(pass, layer, x, attention);
    const perHead = hooks.wants("result", layer);
    const out = perHead ? sumOfHeads(pass, layer, z, attention) : linear(pass, take(flat(pass, z)), output);
    return normAfter ? normalize(pass, hooks.at("A_before_norm", layer, out), normAfter) : out;
  };
  return pass.scoped("attention", () =>
    // A cache needs the keys and values even where a hook replaces A.
    cache ? hooks.at("A", layer, compute()) : hooks.produce("A", layer, x.shape, inAttention, compute),
  );
}

/** The mixed values of all heads `[B, T, H, D]`, one after another: `[B, T, H·D]`. */
function flat({ ops }: Pass, z: F32): F32 {
  const [sequences = 0, length = 0, heads = 0, width = 0] = z.shape;
  return ops.reshape(z, { shape: [sequences, length, heads * width] });
}

/** The output projection, head by head, so that hooks see what each head adds: z of a head times its columns of W_O. */
function sumOfHeads(pass: Pass, layer: number, z: F32, { output }: Attention): F32 {
  const { ops, hooks } = pass;
  const outputs = headOutputs(ops, z, ops.effectiveWeight(output.weight));
  const result = hooks.at("result", layer, ops.permute(outputs, { axes: [1, 2, 0, 3] }));
  return addBias(pass, ops.sum(result, { axis: 2 }), output.bias);
}

/** The values that each head mixes, z `[B, T, H, D]`, from the residual stream x `[B, T, d]`. */
function mixedValues(pass: Pass, layer: number, x: F32, attention: Attention): F32 {
  const { hooks, cache, batch, rotary } = pass;
  const { normBefore, query, key, value, heads, groups, joint } = attention;
  const fused = joint && fusedPast(pass, layer, beforeZ);
  if (!fused)
    return unfusedValues(pass, layer, normBefore ? normalizeAt(pass, "ln1", layer, x, normBefore) : x, attention);
  const z = fused.selfAttention(
    ...([x, normBefore?.weight ?? null, query.weight, key.weight, value.weight] as const),
    ...([rotary, batch.positions] as const),
    {
      ...{ norm: normBefore && { kind: normBefore.kind, eps: normBefore.eps }, heads, groups, starts: batch.starts },
      cache: cache && { keys: cache.keys[layer]!, values: cache.values[layer]!, at: cache.length },
    },
  );
  return hooks.at("z", layer, z);
}

/** As {@link mixedValues}, from the sub-layer's input, with all hook points. */
function unfusedValues(pass: Pass, layer: number, x: F32, attention: Attention): F32 {
  const { ops, hooks, batch, cache, rotary } = pass;
  const { heads, groups, width, clip } = attention;
  const [sequences = 0, length = 0] = x.shape;
  const project = (by: Linear, norm: Norm | undefined, count: number) => {
    const plain = linear(pass, x, by);
    const normalized = norm ? normalize(pass, plain, norm) : plain;
    const clipped = clip === undefined ? normalized : ops.clamp(normalized, { min: -clip, max: clip });
    return ops.reshape(clipped, { shape: [sequences, length, count, width] });
  };
  const rotate = (heads: F32) => ops.rope(heads, rotary, batch.positions);
  const plainQ = hooks.at("q", layer, project(attention.query, attention.normQuery, heads));
  const q = hooks.at("rot_q", layer, rotate(plainQ));
  const plainKeys = hooks.at("k", layer, project(attention.key, attention.normKey, groups));
  const newKeys = hooks.at("rot_k", layer, rotate(plainKeys));
  const newValues = hooks.at("v", layer, project(attention.value, undefined, groups));
  const [k, v] = cache ? [cache.keys[layer]!, cache.values[layer]!] : [newKeys, newValues];
  if (cache) {
    ops.writeCache(k, newKeys, { at: cache.length });
    ops.writeCache(v, newValues, { at: cache.length });
  }
  const options = { starts: batch.starts, length: cache ? cache.length + length : length };
  const scored = hooks.wants("attn_scores", layer);
  if (!scored && !hooks.wants("pattern", layer)) return hooks.at("z", layer, ops.attention(q, k, v, options));
  const scores = scored && hooks.at("attn_scores", layer, attentionScores(pass, q, k, options.length));
  const pattern = hooks.at("pattern", layer, scores ? patternOf(pass, scores) : ops.attentionPattern(q, k, options));
  return hooks.at("z", layer, ops.attendWithPattern(pattern, v));
}

/** The residual stream x `[B, T, d]` and the MLP's output for it. */
function addMlp(pass: Pass, layer: number, x: F32, mlp: GatedMlp): F32 {
  const { ops, hooks } = pass;
  const { down, normAfter } = mlp;
  const fused = down.bias || normAfter ? null : fusedPast(pass, layer, ["M"]);
  if (!fused) return ops.add(x, mlpOutput(pass, layer, x, mlp));
  return pass.scoped("mlp", () =>
    fused.linearAdd(coefficients(pass, layer, x, mlp), hooks.at("W_V", layer, down.weight), x),
  );
}

/**
 * The gated MLP sub-layer (Shazeer 2020): residual stream x `[B, T, d]` in, M `[B, T, d]` out. M = m · W_V, with
 * m = silu(x W_gate) ⊙ (x W_up). Biases are added where the layers have them.
 */
function mlpOutput(pass: Pass, layer: number, x: F32, mlp: GatedMlp): F32 {
  const { ops, hooks } = pass;
  const { down, normAfter } = mlp;
  return pass.scoped("mlp", () => {
    const m = coefficients(pass, layer, x, mlp);
    const out = addBias(pass, ops.linear(m, hooks.at("W_V", layer, down.weight)), down.bias);
    const M = normAfter ? normalize(pass, hooks.at("M_before_norm", layer, out), normAfter) : out;
    return hooks.at("M", layer, M);
  });
}

/** m `[B, T, n]`, from the residual stream x. */
function coefficients(pass: Pass, layer: number, x: F32, { normBefore, gate, up, joint }: GatedMlp): F32 {
  const { ops, hooks } = pass;
  const shape = [...x.shape.slice(0, -1), gate.weight.shape[0]!];
  return hooks.produce("m", layer, shape, beforeM, () => {
    const fused = joint && fusedPast(pass, layer, beforeM);
    if (fused) {
      const norm = normBefore && { kind: normBefore.kind, eps: normBefore.eps };
      return fused.gatedLinear(x, normBefore?.weight ?? null, gate.weight, up.weight, { norm });
    }
    const input = normBefore ? normalizeAt(pass, "ln2", layer, x, normBefore) : x;
    const gated = hooks.at("gate", layer, linear(pass, input, gate));
    return ops.swiglu(gated, hooks.at("up", layer, linear(pass, input, up)));
  });
}

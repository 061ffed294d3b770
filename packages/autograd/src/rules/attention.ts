import type { F32, Ops } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

/** `[B, T, H, D]` as one matrix for each key head, `[B, G, (H/G)·T, D]`: the query heads of a group lie next to each other. */
function byGroup(ops: Ops, x: F32, groups: number): F32 {
  const [batch = 0, length = 0, heads = 0, width = 0] = x.shape;
  const shape = [batch, groups, (heads / groups) * length, width];
  return ops.reshape(ops.permute(x, { axes: [0, 2, 1, 3] }), { shape });
}

/** A pattern `[B, H, T, L]` as one matrix for each key head, `[B, G, (H/G)·T, L]`. */
function patternByGroup(ops: Ops, pattern: F32, groups: number): F32 {
  const [batch = 0, heads = 0, length = 0, keys = 0] = pattern.shape;
  return ops.reshape(pattern, { shape: [batch, groups, (heads / groups) * length, keys] });
}

/** The first `length` keys or values of `[B, S, G, D]`, as one matrix for each key head, `[B, G, L, D]`. */
function inUse(ops: Ops, x: F32, length: number): F32 {
  const used = length === x.shape[1] ? x : ops.slice(x, { axis: 1, start: 0, end: length });
  return ops.permute(used, { axes: [0, 2, 1, 3] });
}

/** The transpose of {@link inUse}: `[B, G, L, D]` to `[B, S, G, D]`, with zeros for the keys that are not in use. */
function ofAll(ops: Ops, gradient: F32, size: number): F32 {
  const used = ops.permute(gradient, { axes: [0, 2, 1, 3] });
  return used.shape[1] === size ? used : ops.sliceBackward(used, { axis: 1, start: 0, size });
}

export const attentionRules: RulesFor<"attention" | "attentionPattern" | "attendWithPattern" | "rope"> = {
  // The log-sum-exp of each row of scores is all that backward needs to rebuild the softmax (Dao et al. 2022).
  attention: {
    forward({ ops }, q, k, v, options) {
      const { output, logSumExp } = ops.attentionForward(q, k, v, options);
      return { output, extras: [logSumExp] };
    },
    backward({ ops, output, extras, save }, q, k, v, options) {
      const [savedQ, savedK, savedV, savedOutput] = [save(q), save(k), save(v), save(output)];
      const logSumExp = save(extras[0]!);
      const starts = save(options?.starts);
      return (gradient) => {
        const where = starts ? { ...options, starts } : options;
        const to = ops.attentionBackward(savedQ, savedK, savedV, savedOutput, logSumExp, gradient, where);
        return [to.q, to.k, to.v];
      };
    },
  },
  // P = softmax(c Q Kᵀ):  dS = P ⊙ (dP − rowsum(dP ⊙ P)),  dQ = c dS K,  dK = c dSᵀ Q. A masked P is 0, and so is its dS.
  attentionPattern: {
    backward({ ops, output, save }, q, k, options = {}) {
      const [savedQ, savedK, pattern] = [save(q), save(k), save(output)];
      const [size, groups, width] = k.shape.slice(1) as [number, number, number];
      const { scale = 1 / Math.sqrt(width) } = options;
      return (gradient) => {
        const scores = ops.affine(ops.softmaxBackward(pattern, gradient), { factor: scale });
        const toScores = patternByGroup(ops, scores, groups);
        const [batch = 0, length = 0, heads = 0] = savedQ.shape;
        const toQ = ops.matmul(toScores, inUse(ops, savedK, pattern.shape[3]!));
        const toK = ops.matmul(toScores, byGroup(ops, savedQ, groups), { transposeA: true });
        return [
          ops.permute(ops.reshape(toQ, { shape: [batch, heads, length, width] }), { axes: [0, 2, 1, 3] }),
          ofAll(ops, toK, size),
        ];
      };
    },
  },
  // O = P V:  dP = dO Vᵀ,  dV = Pᵀ dO.
  attendWithPattern: {
    backward({ ops, save }, pattern, v) {
      const [savedPattern, savedV] = [save(pattern), save(v)];
      const [size, groups] = v.shape.slice(1) as [number, number];
      return (gradient) => {
        const g = byGroup(ops, gradient, groups);
        const toPattern = ops.matmul(g, inUse(ops, savedV, savedPattern.shape[3]!), { transposeB: true });
        const toV = ops.matmul(patternByGroup(ops, savedPattern, groups), g, { transposeA: true });
        return [ops.reshape(toPattern, { shape: savedPattern.shape }), ofAll(ops, toV, size)];
      };
    },
  },
  // A rotation: its transpose turns the other way.
  rope: {
    backward({ ops, save }, _x, table, positions, { inverse = false } = {}) {
      const [savedTable, savedPositions] = [save(table), save(positions)];
      return (gradient) => [ops.rope(gradient, savedTable, savedPositions, { inverse: !inverse })];
    },
  },
};

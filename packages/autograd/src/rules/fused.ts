import { type F32, joined, type NormFirst, split, type Weight } from "@lethe/tensor";
import { rows, weightGradient } from "./matmul.ts";
import type { Before, Call, Contribution, FusedOpName, JointAddend, RulesFor } from "./rule.ts";

/**
 * Gradients of adjacent weights that one product multiplied by x.
 * @param gradient of their products side by side, `[rows, N]`
 * @param first index of the first weight among the operands
 */
function weightGradients(
  { ops, wants }: Call,
  gradient: F32,
  x: F32,
  weights: readonly Weight[],
  first: number,
): Contribution[] {
  const operands = weights.map((_, i) => first + i);
  if (operands.every((operand) => wants[operand])) {
    const whole = (): F32 => ops.matmul(gradient, x, { transposeA: true });
    const joint: JointAddend = {
      operands,
      // A gradient is laid out as its weight, whose parts begin at aligned bytes.
      make: () =>
        split(
          whole(),
          weights.map(({ shape }) => shape[0]!),
        )!,
      addTo(targets) {
        const target = joined(targets);
        if (target) ops.matmulInto(target, gradient, x, { transposeA: true });
        else for (const [i, part] of joint.make().entries()) ops.addInto(targets[i]!, part);
      },
    };
    return [joint];
  }
  let start = 0;
  return weights.map((weight, i) => {
    const end = start + weight.shape[0]!;
    const range = { axis: 1, start, end };
    start = end;
    return wants[operands[i]!] ? weightGradient(ops, ops.slice(gradient, range), x, weight) : null;
  });
}

/**
 * Gradients for x and the norm's weight, from that of norm(x), which the product makes.
 * Those of x that have come so far are added; the weight's is added where it is gathered.
 */
function throughNorm(
  { ops }: Call,
  norm: NormFirst | undefined,
  { x, weight }: { readonly x: F32; readonly weight: Weight | null },
  gradient: F32,
  { soFar, inPlace }: Before,
): [Contribution, Contribution] {
  const shaped = ops.reshape(gradient, { shape: x.shape });
  if (!norm) return [shaped, null];
  const add = soFar(0);
  const options = { eps: norm.eps, add, into: inPlace(1) };
  const to =
    norm.kind === "rms"
      ? ops.rmsNormBackward(x, weight, shaped, options)
      : ops.layerNormBackward(x, weight, null, shaped, options);
  return [add ? { sum: to.x } : to.x, to.weight];
}

// The products of a group of weights are one, forward and backward.
export const fusedRules: RulesFor<FusedOpName> = {
  selfAttention: {
    forward({ fused }, ...operands) {
      const { output, input, q, k, v, logSumExp } = fused.selfAttentionForward(...operands);
      return { output, extras: [input, q, k, v, logSumExp] };
    },
    backward(call, x, normWeight, query, key, value, table, positions, { norm, starts }) {
      const { ops, fused, wants, save, output, extras } = call;
      const [input, q, k, v, logSumExp] = extras.map(save) as [F32, F32, F32, F32, F32];
      const parts = { output: save(output), q, k, v, logSumExp };
      const before = { x: save(x), weight: save(normWeight) };
      const weights = [save(query), save(key), save(value)];
      const [savedTable, savedPositions, savedStarts] = [save(table), save(positions), save(starts)];
      return (gradient, gradients) => {
        const options = savedStarts ? { starts: savedStarts } : {};
        const joint = fused.selfAttentionBackward(parts, savedTable, savedPositions, gradient, options);
        const toWeights = weightGradients(call, joint, rows(ops, input), weights, 2);
        if (!wants[0] && !wants[1]) return [null, null, ...toWeights];
        using whole = joined<Weight["dtype"]>(weights)!;
        const toInput = ops.matmul(joint, whole as never) as F32;
        return [...throughNorm(call, norm, before, toInput, gradients), ...toWeights];
      };
    },
  },
  gatedLinear: {
    forward({ fused }, ...operands) {
      const { output, input, joint } = fused.gatedLinearForward(...operands);
      return { output, extras: [input, joint] };
    },
    backward(call, x, normWeight, gate, up, { norm }) {
      const { ops, fused, wants, save, extras } = call;
      const [input, products] = extras.map(save) as [F32, F32];
      const before = { x: save(x), weight: save(normWeight) };
      const weights = [save(gate), save(up)];
      return (gradient, gradients) => {
        const joint = fused.gatedLinearBackward(products, gradient);
        const toWeights = weightGradients(call, joint, rows(ops, input), weights, 2);
        if (!wants[0] && !wants[1]) return [null, null, ...toWeights];
        using whole = joined<Weight["dtype"]>(weights)!;
        const toInput = ops.matmul(joint, whole as never) as F32;
        return [...throughNorm(call, norm, before, toInput, gradients), ...toWeights];
      };
    },
  },
  linearAdd: {
    backward({ ops, wants, save }, x, weight) {
      const [savedX, savedWeight] = [wants[1] ? save(x) : null, wants[0] ? save(weight) : null];
      return (gradient) => {
        const flat = rows(ops, gradient);
        return [
          savedWeight && ops.reshape(ops.matmul(flat, savedWeight as never) as F32, { shape: x.shape }),
          savedX && weightGradient(ops, flat, rows(ops, savedX), weight),
          wants[2] ? gradient : null,
        ];
      };
    },
  },
  normLinear: {
    forward({ ops }, x, normWeight, weight, { norm: { kind, eps } }) {
      const input = kind === "rms" ? ops.rmsNorm(x, normWeight, { eps }) : ops.layerNorm(x, normWeight, null, { eps });
      return { output: ops.linear(input, weight as never) as F32, extras: [input] };
    },
    backward(call, x, normWeight, weight, { norm }) {
      const { ops, wants, save, extras } = call;
      const input = wants[2] ? save(extras[0]!) : null;
      const before = { x: save(x), weight: save(normWeight) };
      const savedWeight = save(weight);
      return (gradient, gradients) => {
        const flat = rows(ops, gradient);
        const toWeight = input && weightGradient(ops, flat, rows(ops, input), savedWeight);
        if (!wants[0] && !wants[1]) return [null, null, toWeight];
        const toInput = ops.matmul(flat, savedWeight as never) as F32;
        return [...throughNorm(call, norm, before, toInput, gradients), toWeight];
      };
    },
  },
};

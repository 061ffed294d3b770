import type { F32 } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const lossRules: RulesFor<"crossEntropy" | "linearCrossEntropy" | "klDivergence" | "mse"> = {
  crossEntropy: {
    backward({ ops, save }, logits, labels, options) {
      const [savedLogits, savedLabels] = [save(logits), save(labels)];
      return (gradient) => [ops.crossEntropyBackward(savedLogits, savedLabels, gradient, options)];
    },
  },
  linearCrossEntropy: {
    forward({ ops }, x, weight, labels, options) {
      const { output, saved } = ops.linearCrossEntropyForward(x, weight, labels, options);
      return { output, extras: [saved] };
    },
    backward({ ops, extras, wants, save }, x, weight, labels, options) {
      const [savedX, savedWeight, savedLabels, saved] = [save(x), save(weight), save(labels), save(extras[0]!)];
      return (gradient, { inPlace }) => {
        const wanted = { x: wants[0]!, weight: wants[1]!, into: inPlace(1)?.reshape(weight.shape) as F32 | undefined };
        const operands = [savedX, savedWeight, savedLabels, saved, gradient] as const;
        const to = ops.linearCrossEntropyBackward(...operands, options, wanted);
        return [to.x, to.weight];
      };
    },
  },
  // The reference is a constant, also where it was computed from a watched tensor.
  klDivergence: {
    backward({ ops, wants, save }, reference, logits, labels, options) {
      if (!wants[1]) return () => [];
      const [savedReference, savedLogits, savedLabels] = [save(reference), save(logits), save(labels)];
      return (gradient) => [
        null,
        ops.klDivergenceBackward(savedReference, savedLogits, savedLabels, gradient, options),
      ];
    },
  },
  mse: {
    backward({ ops, wants, save }, a, b, options) {
      const [savedA, savedB] = [save(a), save(b)];
      return (gradient) => [
        wants[0] ? ops.mseBackward(savedA, savedB, gradient, options) : null,
        wants[1] ? ops.mseBackward(savedB, savedA, gradient, options) : null,
      ];
    },
  },
};

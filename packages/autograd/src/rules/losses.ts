import type { RulesFor } from "./rule.ts";

export const lossRules: RulesFor<"crossEntropy" | "klDivergence" | "mse"> = {
  crossEntropy: {
    backward({ ops, save }, logits, labels, options) {
      const [savedLogits, savedLabels] = [save(logits), save(labels)];
      return (gradient) => [ops.crossEntropyBackward(savedLogits, savedLabels, gradient, options)];
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

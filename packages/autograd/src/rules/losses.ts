import { crossEntropyBackward, klDivergenceBackward, mseBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const lossRules: RulesFor<"crossEntropy" | "klDivergence" | "mse"> = {
  crossEntropy: {
    backward({ save }, logits, labels, options) {
      const [savedLogits, savedLabels] = [save(logits), save(labels)];
      return (gradient) => [crossEntropyBackward(savedLogits, savedLabels, gradient, options)];
    },
  },
  // The reference is a constant, whatever it was made from.
  klDivergence: {
    backward({ wants, save }, reference, logits, labels, options) {
      if (!wants[1]) return () => [];
      const [savedReference, savedLogits, savedLabels] = [save(reference), save(logits), save(labels)];
      return (gradient) => [null, klDivergenceBackward(savedReference, savedLogits, savedLabels, gradient, options)];
    },
  },
  mse: {
    backward({ wants, save }, a, b, options) {
      const [savedA, savedB] = [save(a), save(b)];
      return (gradient) => [
        wants[0] ? mseBackward(savedA, savedB, gradient, options) : null,
        wants[1] ? mseBackward(savedB, savedA, gradient, options) : null,
      ];
    },
  },
};

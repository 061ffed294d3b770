import type { RulesFor } from "./rule.ts";

export const softmaxRules: RulesFor<"softmax" | "logSoftmax"> = {
  softmax: {
    backward({ ops, save, output }) {
      const saved = save(output);
      return (gradient) => [ops.softmaxBackward(saved, gradient)];
    },
  },
  logSoftmax: {
    backward({ ops, save, output }) {
      const saved = save(output);
      return (gradient) => [ops.logSoftmaxBackward(saved, gradient)];
    },
  },
};

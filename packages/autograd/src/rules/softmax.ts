import { logSoftmaxBackward, softmaxBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const softmaxRules: RulesFor<"softmax" | "logSoftmax"> = {
  softmax: {
    backward({ save, output }) {
      const saved = save(output);
      return (gradient) => [softmaxBackward(saved, gradient)];
    },
  },
  logSoftmax: {
    backward({ save, output }) {
      const saved = save(output);
      return (gradient) => [logSoftmaxBackward(saved, gradient)];
    },
  },
};

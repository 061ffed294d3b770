import type { RulesFor } from "./rule.ts";

export const reduceRules: RulesFor<"sum" | "mean" | "max"> = {
  sum: {
    backward({ ops }, x, options) {
      return (gradient) => [ops.expand(gradient, x.shape, options)];
    },
  },
  mean: {
    backward({ ops, output }, x, options) {
      const factor = output.size / x.size;
      return (gradient) => [ops.expand(ops.affine(gradient, { factor }), x.shape, options)];
    },
  },
  max: {
    backward({ ops, save, output }, x, options) {
      const [savedX, savedOutput] = [save(x), save(output)];
      return (gradient) => [ops.maxBackward(savedX, savedOutput, gradient, options)];
    },
  },
};

import { affine, expand, maxBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const reduceRules: RulesFor<"sum" | "mean" | "max"> = {
  sum: {
    backward(_call, x, options) {
      return (gradient) => [expand(gradient, x.shape, options)];
    },
  },
  mean: {
    backward({ output }, x, options) {
      const factor = output.size / x.size;
      return (gradient) => [expand(affine(gradient, { factor }), x.shape, options)];
    },
  },
  max: {
    backward({ save, output }, x, options) {
      const [savedX, savedOutput] = [save(x), save(output)];
      return (gradient) => [maxBackward(savedX, savedOutput, gradient, options)];
    },
  },
};

import type { RulesFor } from "./rule.ts";

export const normaliseRules: RulesFor<"rmsNorm" | "layerNorm"> = {
  rmsNorm: {
    backward({ ops, save }, x, weight, options) {
      const [savedX, savedWeight] = [save(x), save(weight)];
      return (gradient) => {
        const to = ops.rmsNormBackward(savedX, savedWeight, gradient, options);
        return [to.x, to.weight];
      };
    },
  },
  layerNorm: {
    backward({ ops, save }, x, weight, bias, options) {
      const [savedX, savedWeight, savedBias] = [save(x), save(weight), save(bias)];
      return (gradient) => {
        const to = ops.layerNormBackward(savedX, savedWeight, savedBias, gradient, options);
        return [to.x, to.weight, to.bias];
      };
    },
  },
};

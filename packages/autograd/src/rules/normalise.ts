import { layerNormBackward, rmsNormBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const normaliseRules: RulesFor<"rmsNorm" | "layerNorm"> = {
  rmsNorm: {
    backward({ save }, x, weight, options) {
      const [savedX, savedWeight] = [save(x), save(weight)];
      return (gradient) => {
        const to = rmsNormBackward(savedX, savedWeight, gradient, options);
        return [to.x, to.weight];
      };
    },
  },
  layerNorm: {
    backward({ save }, x, weight, bias, options) {
      const [savedX, savedWeight, savedBias] = [save(x), save(weight), save(bias)];
      return (gradient) => {
        const to = layerNormBackward(savedX, savedWeight, savedBias, gradient, options);
        return [to.x, to.weight, to.bias];
      };
    },
  },
};

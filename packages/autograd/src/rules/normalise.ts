import type { RulesFor } from "./rule.ts";

// In a block x also goes on beside the norm. That gradient has come by then, and the kernel adds it. The weight's is added where it is
// gathered.
export const normaliseRules: RulesFor<"rmsNorm" | "layerNorm"> = {
  rmsNorm: {
    backward({ ops, save }, x, weight, options) {
      const [savedX, savedWeight] = [save(x), save(weight)];
      return (gradient, { soFar, inPlace }) => {
        const add = soFar(0);
        const to = ops.rmsNormBackward(savedX, savedWeight, gradient, { ...options, add, into: inPlace(1) });
        return [add ? { sum: to.x } : to.x, to.weight];
      };
    },
  },
  layerNorm: {
    backward({ ops, save }, x, weight, bias, options) {
      const [savedX, savedWeight, savedBias] = [save(x), save(weight), save(bias)];
      return (gradient, { soFar, inPlace }) => {
        const add = soFar(0);
        const to = ops.layerNormBackward(savedX, savedWeight, savedBias, gradient, {
          ...options,
          add,
          into: inPlace(1),
        });
        return [add ? { sum: to.x } : to.x, to.weight, to.bias];
      };
    },
  },
};

import { attentionBackward, attentionForward, rope } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const attentionRules: RulesFor<"attention" | "rope"> = {
  // The log-sum-exp of each row of scores is all that backward needs to rebuild the softmax (Dao et al. 2022).
  attention: {
    forward(q, k, v, options) {
      const { output, logSumExp } = attentionForward(q, k, v, options);
      return { output, extra: logSumExp };
    },
    backward({ output, extra, save }, q, k, v, options) {
      const [savedQ, savedK, savedV, savedOutput, logSumExp] = [save(q), save(k), save(v), save(output), save(extra!)];
      const starts = save(options?.starts);
      return (gradient) => {
        const where = starts ? { ...options, starts } : options;
        const to = attentionBackward(savedQ, savedK, savedV, savedOutput, logSumExp, gradient, where);
        return [to.q, to.k, to.v];
      };
    },
  },
  // A rotation: its transpose turns the other way.
  rope: {
    backward({ save }, _x, table, positions, { inverse = false } = {}) {
      const [savedTable, savedPositions] = [save(table), save(positions)];
      return (gradient) => [rope(gradient, savedTable, savedPositions, { inverse: !inverse })];
    },
  },
};

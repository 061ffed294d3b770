import { gatherRows, reshape, scatterRows } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

// Reading rows and adding into rows are each other's transpose.
export const rowRules: RulesFor<"embedding" | "gatherRows" | "scatterRows"> = {
  embedding: {
    backward({ save }, table, ids) {
      const savedIds = save(ids);
      const [rows, width] = table.shape as readonly [number, number];
      return (gradient) => {
        const flat = reshape(gradient, { shape: [savedIds.size, width] });
        return [scatterRows(flat, savedIds.reshape([savedIds.size]), { rows })];
      };
    },
  },
  gatherRows: {
    backward({ save }, x, index) {
      const savedIndex = save(index);
      return (gradient) => [scatterRows(gradient, savedIndex, { rows: x.shape[0]! })];
    },
  },
  scatterRows: {
    backward({ save }, _values, index) {
      const savedIndex = save(index);
      return (gradient) => [gatherRows(gradient, savedIndex)];
    },
  },
};

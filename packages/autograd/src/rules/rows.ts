import type { F32 } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

// Reading rows is the transpose of adding into rows, and the other way round.
export const rowRules: RulesFor<"embedding" | "gatherRows" | "scatterRows"> = {
  embedding: {
    backward({ ops, save }, table, ids) {
      const savedIds = save(ids);
      const [rows, width] = table.shape as readonly [number, number];
      return (gradient) => {
        const flat = ops.reshape(gradient, { shape: [savedIds.size, width] });
        const index = savedIds.reshape([savedIds.size]);
        const addTo = (target: F32) => ops.scatterRowsInto(target, flat, index);
        return [{ shape: table.shape, make: () => ops.scatterRows(flat, index, { rows }), addTo }];
      };
    },
  },
  gatherRows: {
    backward({ ops, save }, x, index) {
      const savedIndex = save(index);
      return (gradient) => [ops.scatterRows(gradient, savedIndex, { rows: x.shape[0]! })];
    },
  },
  scatterRows: {
    backward({ ops, save }, _values, index) {
      const savedIndex = save(index);
      return (gradient) => [ops.gatherRows(gradient, savedIndex)];
    },
  },
};

import type { RulesFor } from "./rule.ts";

export const layoutRules: RulesFor<"reshape" | "permute" | "slice" | "concat" | "cast"> = {
  reshape: {
    backward({ ops }, x) {
      return (gradient) => [ops.reshape(gradient, { shape: x.shape })];
    },
  },
  permute: {
    backward({ ops }, _x, { axes }) {
      const back = axes.map((_, axis) => axes.indexOf(axis));
      return (gradient) => [ops.permute(gradient, { axes: back })];
    },
  },
  slice: {
    backward({ ops }, x, { axis, start }) {
      return (gradient) => [ops.sliceBackward(gradient, { axis, start, size: x.shape.at(axis)! })];
    },
  },
  concat: {
    backward({ ops, wants }, a, b, { axis }) {
      const [joint, end] = [a.shape.at(axis)!, a.shape.at(axis)! + b.shape.at(axis)!];
      return (gradient) => [
        wants[0] ? ops.slice(gradient, { axis, start: 0, end: joint }) : null,
        wants[1] ? ops.slice(gradient, { axis, start: joint, end }) : null,
      ];
    },
  },
  cast: {
    backward() {
      return (gradient) => [gradient];
    },
  },
};

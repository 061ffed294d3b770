import { permute, reshape, slice, sliceBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

export const layoutRules: RulesFor<"reshape" | "permute" | "slice" | "concat" | "cast"> = {
  reshape: {
    backward(_call, x) {
      return (gradient) => [reshape(gradient, { shape: x.shape })];
    },
  },
  permute: {
    backward(_call, _x, { axes }) {
      const back = axes.map((_, axis) => axes.indexOf(axis));
      return (gradient) => [permute(gradient, { axes: back })];
    },
  },
  slice: {
    backward(_call, x, { axis, start }) {
      return (gradient) => [sliceBackward(gradient, { axis, start, size: x.shape.at(axis)! })];
    },
  },
  concat: {
    backward({ wants }, a, b, { axis }) {
      const [joint, end] = [a.shape.at(axis)!, a.shape.at(axis)! + b.shape.at(axis)!];
      return (gradient) => [
        wants[0] ? slice(gradient, { axis, start: 0, end: joint }) : null,
        wants[1] ? slice(gradient, { axis, start: joint, end }) : null,
      ];
    },
  },
  cast: {
    backward() {
      return (gradient) => [gradient];
    },
  },
};

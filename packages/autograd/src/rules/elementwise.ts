import type { F32, Ops } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

const negative = (ops: Ops, x: F32) => ops.affine(x, { factor: -1 });

// A broadcast operand is read many times: its gradient is summed to its own shape.
export const elementwiseRules: RulesFor<"add" | "sub" | "mul" | "div" | "affine" | "unary" | "clamp" | "swiglu"> = {
  add: {
    backward({ ops, wants }, a, b) {
      return (gradient) => [
        wants[0] ? ops.sumTo(gradient, a.shape) : null, //
        wants[1] ? ops.sumTo(gradient, b.shape) : null,
      ];
    },
  },
  sub: {
    backward({ ops, wants }, a, b) {
      return (gradient) => [
        wants[0] ? ops.sumTo(gradient, a.shape) : null,
        wants[1] ? negative(ops, ops.sumTo(gradient, b.shape)) : null,
      ];
    },
  },
  mul: {
    backward({ ops, wants, save }, a, b) {
      const [savedA, savedB] = [wants[1] ? save(a) : null, wants[0] ? save(b) : null];
      return (gradient) => [
        savedB && ops.sumTo(ops.mul(gradient, savedB), a.shape),
        savedA && ops.sumTo(ops.mul(gradient, savedA), b.shape),
      ];
    },
  },
  // c = a / b:  da = G / b,  db = −G c / b.
  div: {
    backward({ ops, wants, save, output }, a, b) {
      const [divisor, quotient] = [save(b), wants[1] ? save(output) : null];
      return (gradient) => [
        wants[0] ? ops.sumTo(ops.div(gradient, divisor), a.shape) : null,
        quotient && negative(ops, ops.sumTo(ops.div(ops.mul(gradient, quotient), divisor), b.shape)),
      ];
    },
  },
  affine: {
    backward({ ops }, _x, { factor = 1 }) {
      return (gradient) => [factor === 1 ? gradient : ops.affine(gradient, { factor })];
    },
  },
  unary: {
    backward({ ops, save }, x, options) {
      const saved = save(x);
      return (gradient) => [ops.unaryBackward(saved, gradient, options)];
    },
  },
  clamp: {
    backward({ ops, save }, x, options) {
      const saved = save(x);
      return (gradient) => [ops.clampBackward(saved, gradient, options)];
    },
  },
  swiglu: {
    backward({ ops, save }, gate, up) {
      const [savedGate, savedUp] = [save(gate), save(up)];
      return (gradient) => {
        const to = ops.swigluBackward(savedGate, savedUp, gradient);
        return [to.gate, to.up];
      };
    },
  },
};

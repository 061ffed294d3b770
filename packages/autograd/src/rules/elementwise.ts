import { affine, clampBackward, div, type F32, mul, sumTo, swigluBackward, unaryBackward } from "@lethe/tensor";
import type { RulesFor } from "./rule.ts";

const negative = (x: F32) => affine(x, { factor: -1 });

// A broadcast operand was read many times: its gradient is summed back to its own shape.
export const elementwiseRules: RulesFor<"add" | "sub" | "mul" | "div" | "affine" | "unary" | "clamp" | "swiglu"> = {
  add: {
    backward({ wants }, a, b) {
      return (gradient) => [
        wants[0] ? sumTo(gradient, a.shape) : null, //
        wants[1] ? sumTo(gradient, b.shape) : null,
      ];
    },
  },
  sub: {
    backward({ wants }, a, b) {
      return (gradient) => [
        wants[0] ? sumTo(gradient, a.shape) : null,
        wants[1] ? negative(sumTo(gradient, b.shape)) : null,
      ];
    },
  },
  mul: {
    backward({ wants, save }, a, b) {
      const [savedA, savedB] = [wants[1] ? save(a) : null, wants[0] ? save(b) : null];
      return (gradient) => [
        savedB && sumTo(mul(gradient, savedB), a.shape),
        savedA && sumTo(mul(gradient, savedA), b.shape),
      ];
    },
  },
  // c = a / b:  da = G / b,  db = −G c / b.
  div: {
    backward({ wants, save, output }, a, b) {
      const [divisor, quotient] = [save(b), wants[1] ? save(output) : null];
      return (gradient) => [
        wants[0] ? sumTo(div(gradient, divisor), a.shape) : null,
        quotient && negative(sumTo(div(mul(gradient, quotient), divisor), b.shape)),
      ];
    },
  },
  affine: {
    backward(_call, _x, { factor = 1 }) {
      return (gradient) => [factor === 1 ? gradient : affine(gradient, { factor })];
    },
  },
  unary: {
    backward({ save }, x, options) {
      const saved = save(x);
      return (gradient) => [unaryBackward(saved, gradient, options)];
    },
  },
  clamp: {
    backward({ save }, x, options) {
      const saved = save(x);
      return (gradient) => [clampBackward(saved, gradient, options)];
    },
  },
  swiglu: {
    backward({ save }, gate, up) {
      const [savedGate, savedUp] = [save(gate), save(up)];
      return (gradient) => {
        const to = swigluBackward(savedGate, savedUp, gradient);
        return [to.gate, to.up];
      };
    },
  },
};

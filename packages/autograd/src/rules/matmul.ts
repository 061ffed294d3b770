import type { F32, Ops, Shape, Weight } from "@lethe/tensor";
import type { Addend, RulesFor } from "./rule.ts";

/** `[…, M, N]` as one matrix `[rows, N]`. */
export function rows(ops: Ops, x: F32): F32 {
  const width = x.shape.at(-1)!;
  return ops.reshape(x, { shape: [x.size / width, width] });
}

/** Gradient of `X Wᵀ` for W, `Gᵀ X`, from that of the product and X, each one matrix. */
export function weightGradient(ops: Ops, gradient: F32, x: F32, { shape }: Weight): Addend {
  return {
    shape,
    make: () => ops.matmul(gradient, x, { transposeA: true }),
    addTo: (target) => ops.matmulInto(target, gradient, x, { transposeA: true }),
  };
}

function swapLastTwo(ops: Ops, x: F32): F32 {
  const axes = x.shape.map((_, axis) => axis);
  axes.push(...axes.splice(-2).reverse());
  return ops.permute(x, { axes });
}

/** Sums leading axes away until `rank` are left. */
function sumLeading(ops: Ops, x: F32, rank: number): F32 {
  if (x.shape.length <= rank) return x;
  const kept = x.shape.slice(-rank);
  return ops.reshape(ops.sum(ops.reshape(x, { shape: [x.size / size(kept), size(kept)] }), { axis: 0 }), {
    shape: kept,
  });
}

const size = (shape: Shape) => shape.reduce((product, dim) => product * dim, 1);

export const matmulRules: RulesFor<"matmul" | "linear"> = {
  // C = op(A) op(B):  d op(A) = G op(B)ᵀ,  d op(B) = op(A)ᵀ G.
  matmul: {
    backward({ ops, wants, save }, a, b, { transposeA = false, transposeB = false } = {}) {
      const [savedA, savedB] = [wants[1] ? save(a) : null, wants[0] ? save(b) : null];
      return (gradient) => {
        let toA: F32 | null = null;
        let toB: F32 | null = null;
        if (savedB) {
          toA = ops.matmul(gradient, savedB, { transposeB: !transposeB });
          if (transposeA) toA = swapLastTwo(ops, toA);
        }
        if (savedA) {
          // One matrix B under many A without a transpose is a single product over all their rows.
          const flat = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
          const [x, g] = flat ? [rows(ops, savedA), rows(ops, gradient)] : [savedA, gradient];
          toB = transposeB
            ? ops.matmul(g, x, { transposeA: true, transposeB: transposeA })
            : ops.matmul(x, g, { transposeA: !transposeA });
          toB = sumLeading(ops, toB, b.shape.length);
        }
        return [toA, toB];
      };
    },
  },
  // Y = X Wᵀ:  dX = G W,  dW = Gᵀ X.
  linear: {
    backward({ ops, wants, save }, x, weight) {
      const [savedX, savedWeight] = [wants[1] ? save(x) : null, wants[0] ? save(weight) : null];
      return (gradient) => [
        savedWeight && ops.reshape(ops.matmul(rows(ops, gradient), savedWeight), { shape: x.shape }),
        savedX && weightGradient(ops, rows(ops, gradient), rows(ops, savedX), weight),
      ];
    },
  },
};

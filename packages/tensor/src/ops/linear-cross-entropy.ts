import { flag, optional, options } from "../arguments.ts";
import { bytesPerElement } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { type Shape, show, sizeOf } from "../shape.ts";
import type { Device, Tensor } from "../tensor.ts";
import { viewAt } from "../view-at.ts";
import { checkShapes } from "./check.ts";
import { anyFloat, checked, f32, i32 } from "./checked.ts";
import { crossEntropy, crossEntropyBackward } from "./cross-entropy.ts";
import { linear, matmul, matmulInto } from "./matmul.ts";
import type { F32, Ops, Weight } from "./ops.ts";
import { perVector, planTurns, runItems } from "./parts.ts";
import { zeros } from "./random.ts";
import { planRows } from "./row-plan.ts";
import { reduceLosses, reductionOption, tokenWeights } from "./token-losses.ts";

/** Logits of so many bytes are whole in memory: that is faster, because backward has no need to compute them again. */
const wholeBytes = 2 ** 25;
/** Of more, blocks of columns are: no larger than this, but where they would have few columns. */
const blockBytes = 2 ** 24;
/** Enough for a fast product. Blocks begin at a multiple of it, and so at a byte that kernels can bind. */
const leastColumns = 512;

type Products = Pick<Ops, "linear" | "matmul" | "matmulInto">;
type LinearLosses = Pick<Ops, "linearCrossEntropy" | "linearCrossEntropyForward" | "linearCrossEntropyBackward">;

/** Rows of the logits of x, x and labels as a matrix and a list, and the columns of each block; one block where the logits are whole. */
function laidOut(operation: string, x: F32, weight: Weight, labels: Tensor<Shape, "i32">) {
  const width = x.shape.at(-1);
  const [vocabulary, inner] = weight.shape;
  if (width === undefined || weight.shape.length !== 2 || inner !== width)
    throw new ShapeError(
      `${operation}: input ${show(x.shape)} and weight ${show(weight.shape)} do not fit; they must be […, K] and [V, K]`,
    );
  checkShapes(operation, { labels }, x.shape.slice(0, -1));
  const rows = sizeOf(labels.shape);
  const columns = vocabulary!;
  const fits = 4 * rows * columns <= wholeBytes;
  const block = Math.max(1, Math.floor(blockBytes / (4 * rows) / leastColumns)) * leastColumns;
  const starts = fits ? [0] : Array.from({ length: Math.ceil(columns / block) }, (_, i) => i * block);
  const blocks = starts.map((start) => ({ start, count: fits ? columns : Math.min(block, columns - start) }));
  return { rows, columns, blocks, flat: x.reshape([rows, width]), list: labels.reshape([rows]) };
}

/** Rows of a matrix as a tensor of its own, without a copy. It belongs to the innermost open scope. */
function rowsOf<T extends Weight>(matrix: T, { start, count }: { start: number; count: number }): T {
  const width = matrix.shape[1]!;
  const part = viewAt(matrix, start * width * bytesPerElement[matrix.dtype], [count, width]);
  matrix.device.own(part);
  return part as unknown as T;
}

/**
 * Cross-entropy straight from what `linear` multiplies, by the products of some arithmetic: logits larger than {@link wholeBytes} are never
 * whole in memory, nor is their gradient, which takes one more product (Wijmans et al. 2024, "Cut Your Losses").
 */
export function linearLossesOver(products: Products): LinearLosses {
  const forward: Ops["linearCrossEntropyForward"] = checked(
    "linearCrossEntropyForward",
    { x: f32, weight: anyFloat, labels: i32, options: reductionOption },
    (x, weight, labels, { reduction }) => {
      const { rows, columns, blocks, flat, list } = laidOut("linearCrossEntropy", x, weight, labels);
      const { device } = x;
      using scope = device.scope("linearCrossEntropy");
      if (blocks.length === 1) {
        const logits = products.linear(x as F32, weight as never) as F32;
        return { output: scope.keep(crossEntropy(logits, labels, { reduction })), saved: scope.keep(logits) };
      }
      const saved = scope.keep(device.empty([rows, 4], "f32", "sums of exponentials"));
      const losses = device.empty(labels.shape, "f32", "linearCrossEntropy");
      for (const { start, count } of blocks) {
        using _ = device.scope("block of logits");
        const logits = products.linear(flat, rowsOf(weight, { start, count }) as never) as F32;
        foldBlock(device, { logits, labels: list, states: saved, losses }, start, columns);
      }
      return { output: scope.keep(reduceLosses("linearCrossEntropy", losses, labels, reduction)), saved };
    },
  );
  return {
    linearCrossEntropy: checked(
      "linearCrossEntropy",
      { x: f32, weight: anyFloat, labels: i32, options: reductionOption },
      (x, weight, labels, options) => {
        const { output, saved } = forward(x, weight, labels, options);
        saved.dispose();
        return output;
      },
    ),
    linearCrossEntropyForward: forward,
    linearCrossEntropyBackward: checked(
      "linearCrossEntropyBackward",
      {
        ...{ x: f32, weight: anyFloat, labels: i32, saved: f32, gradient: f32, options: reductionOption },
        wants: options({ x: flag, weight: flag, into: optional(f32) }),
      },
      (x, weight, labels, saved, gradient, { reduction }, wants) => {
        const { rows, columns, blocks, flat, list } = laidOut("linearCrossEntropyBackward", x, weight, labels);
        const { device } = x;
        using scope = device.scope("linearCrossEntropyBackward");
        if (blocks.length === 1) {
          const slopes = crossEntropyBackward(saved, labels, gradient, { reduction }).reshape([rows, columns]) as F32;
          const { into } = wants;
          if (wants.weight && into) products.matmulInto(into, slopes, flat, { transposeA: true });
          const toWeight = wants.weight && !into ? products.matmul(slopes, flat, { transposeA: true }) : null;
          const toX = wants.x ? (products.matmul(slopes, weight as never) as F32).reshape(x.shape) : null;
          return { x: toX && scope.keep(toX as F32), weight: toWeight && scope.keep(toWeight as F32) };
        }
        checkShapes("linearCrossEntropyBackward", { saved }, [rows, 4]);
        const weights = tokenWeights("linearCrossEntropy", labels, gradient, reduction);
        const toX = wants.x ? scope.keep(zeros(device, x.shape) as F32) : null;
        const made = wants.weight && !wants.into ? scope.keep(zeros(device, weight.shape) as F32) : null;
        const toWeight = wants.weight ? (wants.into ?? made) : null;
        for (const block of blocks) {
          using _ = device.scope("block of logits");
          const part = rowsOf(weight, block);
          const slopes = products.linear(flat, part as never) as F32;
          blockGradient(device, { labels: list, weights, states: saved, logits: slopes }, block.start, columns);
          if (toX) products.matmulInto(toX.reshape(flat.shape), slopes, part);
          if (toWeight) products.matmulInto(rowsOf(toWeight, block), slopes, flat, { transposeA: true });
        }
        return { x: toX, weight: made };
      },
    ),
  };
}

/** `linearCrossEntropy` as the two operations that it is made of: for an arithmetic that changes `linear`. */
export function lossOfLogits(
  { crossEntropy }: Pick<Ops, "crossEntropy">,
  { linear }: Pick<Ops, "linear">,
): Ops["linearCrossEntropy"] {
  return (x, weight, labels, options) =>
    x.device.scoped("linearCrossEntropy", () => crossEntropy(linear(x, weight as never) as F32, labels, options));
}

/** Folds a block of logits into the states of rows; the last one gives the losses. */
function foldBlock(
  device: Device,
  { logits, labels, states, losses }: Readonly<Record<"logits" | "labels" | "states" | "losses", Tensor>>,
  start: number,
  columns: number,
): void {
  const [rows, width] = logits.shape as readonly [number, number];
  const plan = planRows(device.capabilities, width);
  runItems(device, {
    kernel: "linear_cross_entropy",
    constants: { ...plan, FIRST: start === 0, LAST: start + width === columns },
    items: rows,
    workgroups: (count) => Math.ceil(count / plan.ROWS),
    split: { logits: [logits, width], labels: [labels, 1], states: [states, 4], losses: [losses, 1] },
    params: (count) => ({ rows: count, width, start }),
  });
}

/** Writes the gradient of a block of logits in their place. */
function blockGradient(
  device: Device,
  { labels, weights, states, logits }: Readonly<Record<"labels" | "weights" | "states" | "logits", Tensor>>,
  start: number,
  vocabulary: number,
): void {
  const [rows, width] = logits.shape as readonly [number, number];
  const odd = width % 4 !== 0;
  const turns = planTurns(device.capabilities);
  const groups = Math.ceil(width / 256 / turns);
  runItems(device, {
    kernel: "linear_cross_entropy_backward",
    constants: { TURNS: turns, ODD: odd },
    items: rows,
    workgroups: (count) => (odd ? perVector(count * width) : count * groups),
    split: { labels: [labels, 1], weights: [weights, 1], states: [states, 4], logits: [logits, width] },
    params: (count) => ({ rows: count, width, groups, start, vocabulary }),
  });
}

/** The operations that run kernels. */
export const { linearCrossEntropy, linearCrossEntropyForward, linearCrossEntropyBackward } = linearLossesOver({
  linear,
  matmul,
  matmulInto,
});

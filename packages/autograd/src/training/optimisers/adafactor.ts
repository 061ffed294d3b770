import { adafactorScratch, adafactorShapes, beginAdafactorStep, type F32, type Shape } from "@lethe/tensor";
import { Optimiser } from "../optimiser.ts";
import type { Trainable } from "../parameter.ts";
import type { OptimiserRule, OptimiserSettings, Slot } from "./rule.ts";

const slot = (name: string, of: Slot["of"]): Slot => ({ name, part: "Adafactor's second moments", dtype: "f32", of });
const isMatrix = (shape: Shape) => shape.length === 2;

/** Rows of a part, so that their moments begin at a byte that kernels can bind, of any adapter. */
const rowsOfPart = 256 / 4;

/**
 * Adafactor (Shazeer & Stern 2018) without a first moment and with a learning rate that is given: of a matrix it keeps the mean squared
 * gradients of rows and of columns alone, of a vector those of every element. The tensors are called as `transformers` calls them.
 */
export const adafactor = {
  name: "adafactor",
  label: "Adafactor",
  description: "Adafactor, which keeps of a matrix a number a row and a column, about 0 bytes",
  settings: {},
  slots: [
    slot("exp_avg_sq_row", (shape) => (isMatrix(shape) ? adafactorShapes(shape)[0]! : null)),
    slot("exp_avg_sq_col", (shape) => (isMatrix(shape) ? adafactorShapes(shape)[1]! : null)),
    slot("exp_avg_sq", (shape) => (isMatrix(shape) ? null : shape)),
  ],
  // An update is clipped by its root mean square over the parameter.
  elementwise: false,
  columns: false,
  grain: (shape) => (isMatrix(shape) ? rowsOfPart * shape[1]! : shape.reduce((product, dim) => product * dim, 1)),
  scratch: adafactorScratch,
  begin({ shape, gradient, state, weightDecay }, _settings, at) {
    const { exp_avg_sq_row: rows, exp_avg_sq_col: columns, exp_avg_sq: all } = state as Partial<Record<string, F32>>;
    const moments = all ? [all.reshape(shape)] : [rows!, columns!];
    const move = beginAdafactorStep(gradient.reshape(shape), moments, { ...at, weightDecay });
    const width = isMatrix(shape) ? shape[1]! : undefined;
    return (values, start) =>
      width === undefined
        ? move(values.reshape(shape), 0)
        : move(values.reshape([values.size / width, width]), start / width);
  },
} as const satisfies OptimiserRule;

/** Adafactor (Shazeer & Stern 2018) without a first moment, of given parameters: of a matrix it keeps a number a row and a column. `beta1`, `beta2` and `epsilon` of AdamW have no meaning here. */
export class Adafactor extends Optimiser {
  /** @throws {LetheError} when `trainables` is empty, or a setting is out of its range */
  constructor(trainables: readonly Trainable[], settings: OptimiserSettings) {
    super(adafactor, trainables, settings);
  }
}

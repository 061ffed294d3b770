import { batchOf, type Decoder, type Prompt } from "@lethe/decoder";
import { type F32, ops as kernels, LetheError, type Ops } from "@lethe/tensor";
import { callable, checked, checkedAsync, optional, options, wholeNumber, wholeNumbers } from "@lethe/tensor/checked";
import { decoder, prompt as promptKind, tokenOrTokens } from "./kinds.ts";
import { sequencesOf } from "./prompts.ts";

/** A number that says how much of a behaviour there is, made from the logits of a run. */
export interface Metric {
  /** The columns whose logits it reads: −1 is the last. Logits of others are not computed. */
  readonly positions: readonly number[];
  /**
   * From logits to one number for each sequence.
   * @param logits `[B, P, V]` at `positions`
   * @param ops computes it. Where gradients are wanted it records, so every step must go through it.
   * @returns `[B]`
   */
  of(logits: F32, ops: Ops): F32;
}

const position = options({ position: optional(wholeNumber) });

/** Where the two tokens of a metric are compared. */
interface AtPosition {
  /** The column of the token that predicts; −1 is the last. Default: −1. */
  readonly position?: number;
}

/**
 * How much larger the logit of the right token is than that of the wrong one (Wang et al. 2022).
 * @param right a token, or several, whose logits are averaged
 * @param wrong as `right`
 * @function
 */
export const logitDifference = checked(
  "logitDifference",
  { right: tokenOrTokens, wrong: tokenOrTokens, options: position },
  (
    right: number | readonly number[],
    wrong: number | readonly number[],
    { position = -1 }: AtPosition = {},
  ): Metric => ({
    positions: [position],
    of: (logits, ops) => ops.sub(meanOf(logits, right, ops), meanOf(logits, wrong, ops)),
  }),
);

/** The log-probability of a token, in nats. @param token as for {@link logitDifference}; of several the mean is taken @function */
export const logProbability = checked(
  "logProbability",
  { token: tokenOrTokens, options: position },
  (token: number | readonly number[], { position = -1 }: AtPosition = {}): Metric => ({
    positions: [position],
    of: (logits, ops) => meanOf(ops.logSoftmax(logits), token, ops),
  }),
);

/** The mean over tokens of `[B, 1, V]`: `[B]`. */
function meanOf(logits: F32, token: number | readonly number[], ops: Ops): F32 {
  const tokens = [token].flat() as number[];
  const [sequences = 0, , vocabulary = 0] = logits.shape;
  const outside = tokens.find((id) => id >= vocabulary);
  if (outside !== undefined)
    throw new LetheError(`token ${outside} of a metric is outside the vocabulary of ${vocabulary}`);
  const places = Array.from({ length: sequences }, (_, b) => tokens.map((id) => b * vocabulary + id)).flat();
  const flat = ops.reshape(logits, { shape: [sequences * vocabulary, 1] });
  const chosen = ops.gatherRows(flat, logits.device.tensor(places, [places.length], "u32", "tokens of a metric"));
  return ops.mean(ops.reshape(chosen, { shape: [sequences, tokens.length] }), { axis: 1 });
}

/** What a metric must be. */
export const metricKind = options({ positions: wholeNumbers, of: callable });

/** A model's metric on a prompt. @throws {ModelUseError} for text without a tokenizer @function */
export const measure = checkedAsync(
  "measure",
  { model: decoder, prompt: promptKind, metric: metricKind },
  async (model: Decoder, prompt: Prompt, metric: Metric): Promise<number> => {
    const [tokens] = await sequencesOf(model, prompt);
    using value = model.device.scoped("metric", () => {
      const batch = batchOf(model.device, [tokens!]);
      const rows = metricRows(model, metric, [1, tokens!.length]);
      return valuesOf(model.forward(batch, { rows }), metric, 1, kernels);
    });
    return await value.item();
  },
);

/** The rows of a pass over B sequences of T columns, all without padding, whose logits a metric reads. */
export function metricRows(
  { device }: Decoder,
  { positions }: Metric,
  [sequences, columns]: readonly [number, number],
) {
  const wanted = positions.map((position) => (position < 0 ? position + columns : position));
  if (wanted.length === 0 || wanted.some((column) => !(Number.isInteger(column) && column >= 0 && column < columns)))
    throw new LetheError(`the metric reads positions [${positions}] of a prompt of ${columns} tokens`);
  const rows = Array.from({ length: sequences }, (_, b) => wanted.map((column) => b * columns + column)).flat();
  return device.tensor(rows, [rows.length], "u32", "rows of a metric");
}

/** The metric `[B]` of the logits `[B·P, V]` at {@link metricRows}. @throws {LetheError} when it gives no number for each sequence */
export function valuesOf(logits: F32, metric: Metric, sequences: number, ops: Ops): F32 {
  const shape = [sequences, metric.positions.length, logits.shape.at(-1)!];
  const values = metric.of(ops.reshape(logits, { shape }), ops);
  if (values?.dtype === "f32" && values.shape.length === 1 && values.shape[0] === sequences) return values;
  throw new LetheError(
    `the metric gave ${values?.shape ? `[${values.shape}]` : typeof values} for ${sequences} sequences; expected one f32 number for each, [${sequences}]`,
  );
}

import type { Batch, Decoder, ForwardOptions } from "@lethe/decoder";
import { type Device, type F32, ops as kernels, type Tensor } from "@lethe/tensor";
import { ignoredLabel, type LabelledBatch } from "../data/labelled.ts";
import type { TextPass } from "./method.ts";

/** How a model runs over texts. */
export interface PassOptions extends ForwardOptions {
  /** Runs a part of the pass and keeps only its input, as a tape's `checkpoint` does: for logits that are computed in several pieces. */
  readonly checkpoint?: ((x: F32, run: (x: F32) => F32) => F32) | undefined;
}

/** Bytes of the logits that are computed at a time. Their gradient takes as many. */
const pieceBytes = 32 * 2 ** 20;

/** Rows of logits in one piece: a multiple of 16, which are the rows of a matrix product's tile. */
export function rowsOfPiece(vocabulary: number): number {
  return Math.max(16, Math.floor(pieceBytes / (4 * vocabulary) / 16) * 16);
}

/** The positions of a batch that count in a loss. Without any, the first stands for them: its label is −100, so that its loss is 0. */
export interface CountedTokens {
  /** Rows of the pass (see `Batch.row`), and their labels. */
  readonly rows: readonly number[];
  readonly labels: readonly number[];
  readonly sequences: Tensor<readonly [number], "u32">;
}

/** Finds the positions that count: all but the last of each sequence. The tensor belongs to the innermost open scope. */
export function countedTokens(
  device: Device,
  texts: readonly (readonly number[])[],
  batch: LabelledBatch,
): CountedTokens {
  const [, columns] = batch.ids.shape;
  const found = texts.flatMap((text, sequence) =>
    text.slice(1).map((label, t) => ({ row: sequence * columns + batch.firsts[sequence]! + t, label, sequence })),
  );
  const counted = found.length > 0 ? found : [{ row: 0, label: ignoredLabel, sequence: 0 }];
  const sequences = counted.map(({ sequence }) => sequence);
  return {
    rows: counted.map(({ row }) => row),
    labels: counted.map(({ label }) => label),
    sequences: device.tensor(sequences, [sequences.length], "u32", "sequences of tokens"),
  };
}

/** −log p of each position, `[N]`. @param options may have a cache, which the batch follows */
export function lossPerToken(
  model: Decoder,
  batch: Batch,
  { rows, labels }: Pick<CountedTokens, "rows" | "labels">,
  { checkpoint: _, ...options }: PassOptions,
): F32 {
  const shape = [rows.length] as const;
  const at = model.device.tensor(rows, shape, "u32", "rows of tokens");
  const wanted = model.device.tensor(labels, shape, "i32", "labels");
  return model.losses(batch, wanted, { ...options, rows: at, reduction: "none" });
}

/** What `TextPass.perToken` does. @param options may have a cache, which the batch follows */
export function computePerToken(
  model: Decoder,
  batch: Batch,
  { rows, labels }: Pick<CountedTokens, "rows" | "labels">,
  compute: Parameters<TextPass["perToken"]>[0],
  { checkpoint, ...options }: PassOptions,
): F32 {
  const { device, config } = model;
  const { ops = kernels, hooks } = options;
  // Hooks may be at the logits and before them, and a run of a part of the model reaches only some.
  const most = hooks ? rows.length : rowsOfPiece(config.vocab_size);
  const starts = Array.from({ length: Math.ceil(rows.length / most) }, (_, i) => i * most);
  const pieces = starts.map((start) => {
    const end = Math.min(start + most, rows.length);
    const shape = [end - start] as const;
    const at = device.tensor(rows.slice(start, end), shape, "u32", "rows of tokens");
    return { at, piece: { labels: device.tensor(labels.slice(start, end), shape, "i32", "labels"), start, end } };
  });
  if (pieces.length === 1) {
    const { at, piece } = pieces[0]!;
    return device.scoped("per token", () => compute(model.forward(batch, { ...options, rows: at }), piece));
  }
  const resid = model.forward(batch, { ...options, upTo: "resid" });
  const fromLayer = config.num_hidden_layers;
  const results = pieces.map(({ at, piece }) => {
    const run = (x: F32) =>
      device.scoped("per token", () => compute(model.forward(batch, { ops, resid: x, fromLayer, rows: at }), piece));
    return checkpoint ? checkpoint(resid, run) : run(resid);
  });
  return results.reduce((all, result) => ops.concat(all, result, { axis: 0 }));
}

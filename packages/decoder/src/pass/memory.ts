import type { Device, MemoryNeed } from "@lethe/tensor";
import type { Block } from "./block.ts";

/** Sizes of a pass: `tokens` in all, padding included, and how many of them get logits. */
export interface PassSizes {
  readonly tokens: number;
  readonly rows: number;
}

/** A tensor of a pass by its name, and its elements for each token. */
type Widths = readonly (readonly [name: string, width: number])[];

/** The tensors that each sub-layer of a block makes, and those that a tape keeps for their gradients. */
function blockWidths({ attention, mlp }: Block): Readonly<Record<"attention" | "mlp" | "taped", Widths>> {
  const [d, n] = [attention.output.weight.shape[0]!, mlp.gate.weight.shape[0]!];
  const [queries, keys] = [attention.heads * attention.width, attention.groups * attention.width];
  const times = (name: string, width: number, ...made: readonly unknown[]): Widths =>
    made.flatMap((one) => (one ? [[name, width] as const] : []));
  const { clip } = attention;
  return {
    attention: [
      ...times("normalised stream", d, attention.normBefore, attention.normAfter),
      ...times("queries", queries, true, true, attention.normQuery, clip, attention.query.bias),
      ...times("keys", keys, true, true, attention.normKey, clip, attention.key.bias),
      ...times("values", keys, true, clip, attention.value.bias),
      ...times("mixed values", queries, true),
      ...times("attention state", d, true, attention.output.bias),
    ],
    mlp: [
      ...times("normalised stream", d, mlp.normBefore, mlp.normAfter),
      ...times("gate", n, true, mlp.gate.bias),
      ...times("up", n, true, mlp.up.bias),
      ...times("m", n, true),
      ...times("MLP output", d, true, mlp.down.bias),
    ],
    taped: [
      ...times("residual stream", d, true, true, attention.normAfter, mlp.normAfter),
      ...times("normalised stream", d, attention.normBefore, mlp.normBefore),
      ...times("queries", queries, true, attention.normQuery, clip),
      ...times("keys", keys, true, attention.normKey, clip),
      ...times("values", keys, true, clip),
      ...times("mixed values", queries, true),
      ...times("log-sum-exp", attention.heads, true),
      ...times("gate, up and m", n, true, true, true),
    ],
  };
}

/** The activations of a forward pass at its peak, without gradients: those of one sub-layer, or of the logits. */
export function passMemory(
  device: Device,
  block: Block,
  vocabulary: number,
  { tokens, rows }: PassSizes,
): MemoryNeed[] {
  const { attention, mlp } = blockWidths(block);
  const stream = streamOf(block);
  const stages = [
    needsOf(device, tokens, [...attention, ["log-sum-exp", block.attention.heads]]),
    needsOf(device, tokens, [...mlp, stream("attention state"), stream("stream between")]),
    needsOf(device, rows, [stream("rows"), stream("normalised rows"), ["logits", vocabulary], ["likeliest", 4]]),
  ];
  return [
    ...needsOf(device, tokens, [["token ids", 1], ["positions", 1], stream("residual stream")]),
    ...needsOf(device, rows, [
      ["starts", 1],
      ["rows", 1],
    ]),
    ...largestOf(stages),
  ];
}

/** How passes are recorded for their gradients. */
export interface TapedPasses {
  /** Whether only what enters each block is kept, and the rest is computed again. */
  readonly checkpointing: boolean;
  /** Where a pass has more tokens than this, its logits are computed in pieces of so many rows, twice. Default: all at once. */
  readonly logitRows?: number | undefined;
}

/**
 * The activations of passes whose gradients are computed together: what each block keeps for its gradients and the logits, of all
 * passes; and the gradients of one block and of the logits, of the largest.
 * @param passes tokens of each, padding included
 */
export function tapedMemory(
  device: Device,
  blocks: readonly Block[],
  vocabulary: number,
  passes: readonly number[],
  { checkpointing, logitRows = Infinity }: TapedPasses,
): MemoryNeed[] {
  const [block] = blocks as [Block];
  const { taped } = blockWidths(block);
  const stream = streamOf(block);
  const ofAll = passes.flatMap((tokens) => [
    ...needsOf(device, tokens, [["token ids", 1], ["positions", 1], ["labels", 1], stream("residual stream")]),
    ...needsOf(device, tokens, [["rows that count", 1], stream("rows that count")]),
    ...blocks.flatMap(() => needsOf(device, tokens, checkpointing ? [stream("residual stream")] : taped)),
    ...(tokens > logitRows ? [] : needsOf(device, tokens, [stream("normalised stream"), ["logits", vocabulary]])),
  ]);
  const { heads, groups, width } = block.attention;
  const inner = Math.max(3 * block.mlp.gate.weight.shape[0]!, (2 * heads + 4 * groups) * width);
  const gradients: Widths = [stream("residual stream"), stream("gradient of it"), ["a sub-layer's gradients", inner]];
  const tokens = Math.max(...passes);
  const stages = [
    [
      ...needsOf(device, tokens, [stream("gradient of the stream")]),
      ...needsOf(device, Math.min(tokens, logitRows), [
        ...(tokens > logitRows ? [["logits of a piece", vocabulary] as const] : []),
        ["gradient of the logits", vocabulary],
      ]),
    ],
    needsOf(device, tokens, checkpointing ? [...taped, ...gradients] : gradients),
  ];
  return [...ofAll, ...largestOf(stages)];
}

function streamOf({ attention }: Block): (name: string) => readonly [string, number] {
  return (name) => [name, attention.output.weight.shape[0]!];
}

function needsOf(device: Device, tokens: number, widths: Widths): MemoryNeed[] {
  return widths.map(([name, width]) => ({
    part: "activations",
    name,
    bytes: device.pool.sizeOf(4 * tokens * width),
  }));
}

function largestOf(stages: readonly MemoryNeed[][]): MemoryNeed[] {
  return stages.reduce((largest, stage) => (total(stage) > total(largest) ? stage : largest));
}

function total(needs: readonly MemoryNeed[]): number {
  return needs.reduce((sum, { bytes }) => sum + bytes, 0);
}

import {
  bytesPerElement,
  type Checkpoint,
  type Device,
  type FloatDType,
  fromFloat32,
  type MemoryNeed,
  requireMemory,
  toFloat32,
  type Weight,
} from "@lethe/tensor";
import { modules, type WeightShapes } from "../pass/layout.ts";
import { emptyWeights } from "./empty-weights.ts";
import { type FoundWeight, findWeights, floats, type WeightSources } from "./find-weights.ts";
import type { Watch } from "./progress.ts";

/** Bytes of a piece on its way to the device. Five pieces are in memory at a time. */
const pieceBytes = 8 * 2 ** 20;

/** Bytes that may be uploaded before a wait for the device. WebGPU keeps a copy of each piece until the device has it. */
const unsettledBytes = 64 * 2 ** 20;

export interface ReadWeightsOptions extends Watch {
  /** The dtype of the weights on the device. Default: each has its dtype on disk. Training needs `f32`. */
  readonly dtype?: "f32";
  /** Is told what is odd about a checkpoint that loads all the same. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
  /** Names of tensors that are ignored without a warning. */
  readonly ignore?: readonly RegExp[];
  /** Where the checkpoint keeps each weight, by the weight's name. Default: in the tensor of that name. */
  readonly sources?: WeightSources;
}

/**
 * Streams a model's weights to the device, each once, in small pieces. They belong to no scope.
 * @throws {ModelError} when tensors are missing, of the wrong shape or not floats; the message lists them
 * @throws {OutOfMemoryError} before the first upload when the weights do not fit; the message says what each part of the model needs
 */
export async function readWeights(
  device: Device,
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  options: ReadWeightsOptions = {},
): Promise<Map<string, Weight>> {
  const { dtype, warn = console.warn, ignore = [], sources = new Map(), signal, onProgress } = options;
  const found = findWeights(checkpoint, shapes, sources, ignore, warn);
  const needs = found.map(({ name, shape, stored }) => weightMemory(name, shape, dtype ?? floats[stored]));
  const widens = dtype && found.some(({ stored }) => floats[stored] !== dtype);
  requireMemory(device, checkpoint.name, needs, widens ? keepDtype : undefined);
  const ordered = inFileOrder(checkpoint, found);
  const totalBytes = ordered.reduce((sum, { range }) => sum + range.end - range.begin, 0);
  let doneBytes = 0;
  let unsettled = 0;
  const weights = emptyWeights(
    device,
    new Map(ordered.map(({ name, shape, stored }) => [name, { shape, dtype: dtype ?? floats[stored] }])),
  );
  try {
    const wanted = ordered.map(({ tensor, range }) => ({ name: tensor, range }));
    for await (const { index, offset, bytes } of checkpoint.readRanges(wanted, pieceBytes)) {
      signal?.throwIfAborted();
      const { name, stored, range } = ordered[index]!;
      const weight = weights.get(name)!;
      const asStored = stored !== "F64" && weight.dtype === floats[stored];
      // Where values are converted, an element's place on the device is not its place in the file.
      const ratio = (weight.size * bytesPerElement[weight.dtype]) / (range.end - range.begin);
      device.writeBytes(weight, offset * ratio, asStored ? bytes : fromFloat32(toFloat32(bytes, stored), "F32"));
      doneBytes += bytes.length;
      onProgress?.({ stage: "weights", doneBytes, totalBytes });
      unsettled += bytes.length;
      if (unsettled < unsettledBytes) continue;
      await device.idle(); // The next pieces are read meanwhile.
      unsettled = 0;
    }
    await device.idle();
    return weights;
  } catch (error) {
    for (const weight of weights.values()) weight.dispose();
    throw error;
  }
}

const keepDtype = 'Leave the weights in the dtype they have on disk: only training needs dtype "f32".';

/** The parts of a model, each with a piece of its weights' names. A weight belongs to the first part that fits. */
const parts: readonly (readonly [part: string, inName: string])[] = [
  ["norms", "norm."],
  ["embedding", `${modules.embedding}.`],
  ["unembedding", `${modules.unembedding}.`],
  ["attention", ".self_attn."],
  ["MLP", ".mlp."],
];

function weightMemory(name: string, shape: readonly number[], dtype: FloatDType): MemoryNeed {
  const part = parts.find(([, inName]) => name.includes(inName))?.[0] ?? "other weights";
  return { part, name, bytes: shape.reduce((product, dim) => product * dim, bytesPerElement[dtype]) };
}

/** Weights in the order of the file, so that the disk is read forwards. */
function inFileOrder(checkpoint: Checkpoint, weights: readonly FoundWeight[]): FoundWeight[] {
  const places = new Map(checkpoint.names().map((name, place) => [name, place]));
  return weights.toSorted((a, b) => places.get(a.tensor)! - places.get(b.tensor)! || a.range.begin - b.range.begin);
}

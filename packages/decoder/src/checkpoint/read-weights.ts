import {
  bytesPerElement,
  type Checkpoint,
  type Device,
  type FloatDType,
  type MemoryNeed,
  requireMemory,
  type Weight,
} from "@lethe/tensor";
import { modules, type WeightShapes } from "../pass/layout.ts";
import { emptyWeights } from "./empty-weights.ts";
import { fillWeights, inFileOrder } from "./fill-weights.ts";
import { findWeights, floats, type WeightSources } from "./find-weights.ts";
import type { Watch } from "./progress.ts";

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
  const weights = emptyWeights(
    device,
    new Map(ordered.map(({ name, shape, stored }) => [name, { shape, dtype: dtype ?? floats[stored] }])),
  );
  try {
    await fillWeights(device, checkpoint, ordered, ({ name }) => weights.get(name)!, { signal, onProgress });
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

/** The memory of a weight, named by its part of the model. */
export function weightMemory(name: string, shape: readonly number[], dtype: FloatDType): MemoryNeed {
  const part = parts.find(([, inName]) => name.includes(inName))?.[0] ?? "other weights";
  return { part, name, bytes: shape.reduce((product, dim) => product * dim, bytesPerElement[dtype]) };
}

import { type Checkpoint, type Device, type FloatDType, fromFloat32, toFloat32, type Weight } from "@lethe/tensor";
import {
  checkTensors,
  type FloatTensor,
  floats,
  storedTensors,
  type WeightShapes,
  type WeightSources,
} from "./weight-sources.ts";

export type { WeightShapes, WeightSource, WeightSources } from "./weight-sources.ts";

/** Bytes that are on their way from disk to the device at a time: two of these are in memory. */
const chunkBytes = 8 * 2 ** 20;

export interface ReadWeightsOptions {
  /** What the weights are held in on the device. Default: each in the dtype it has on disk. Training needs `f32`. */
  readonly dtype?: "f32";
  /** Names that may be there and are passed over, such as buffers that are computed. */
  readonly ignore?: readonly RegExp[];
  /** For a weight's name which tensor of the checkpoint holds it, and from which row on. Default: the tensor of its name. */
  readonly sources?: WeightSources;
}

/**
 * Streams a model's weights to the device, each once, in pieces that need little memory here. They belong to no scope.
 * @throws {ModelError} that lists every missing, unexpected, mis-shaped and unreadable tensor at once.
 */
export async function readWeights(
  device: Device,
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  { dtype, ignore = [], sources }: ReadWeightsOptions = {},
): Promise<Map<string, Weight>> {
  const tensors = storedTensors(shapes, sources);
  checkTensors(checkpoint, tensors, ignore);
  const weights = new Map<string, Weight>();
  try {
    // In the order of the file, so that a disk reads forwards.
    for (const tensor of checkpoint.names().filter((name) => tensors.has(name))) {
      const { dtype: found, bytes, shape } = checkpoint.info(tensor);
      const stored = found as FloatTensor;
      const rowBytes = bytes / shape[0]!;
      for (const { name, shape, firstRow } of tensors.get(tensor)!.weights) {
        const weight = allocate(device, name, shape, dtype ?? floats[stored]);
        weights.set(name, weight);
        const range = { begin: firstRow * rowBytes, end: (firstRow + shape[0]!) * rowBytes };
        for await (const { offset, bytes } of checkpoint.readChunks(tensor, chunkBytes, range)) {
          if (weight.dtype === floats[stored]) device.writeBytes(weight, offset, bytes);
          else device.writeBytes(weight, offset * 2, fromFloat32(toFloat32(bytes, stored), "F32"));
        }
      }
    }
    return weights;
  } catch (error) {
    for (const weight of weights.values()) weight.dispose();
    throw error;
  }
}

function allocate(device: Device, name: string, shape: readonly number[], dtype: FloatDType): Weight {
  using _scope = device.scope(name);
  return device.empty(shape, dtype, name).retain();
}

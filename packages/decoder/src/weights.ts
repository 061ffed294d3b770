import { type Checkpoint, type Device, fromFloat32, requireMemory, toFloat32, type Weight } from "@lethe/tensor";
import { weightMemory } from "./weight-memory.ts";
import { type FoundWeight, findWeights, floats, type WeightShapes, type WeightSources } from "./weight-sources.ts";

/** Bytes of a piece on its way from disk to the device: two of these are in memory. */
const pieceBytes = 8 * 2 ** 20;

/** Bytes that may be uploaded before the device has taken them in. WebGPU keeps a copy of each piece until then. */
const unsettledBytes = 64 * 2 ** 20;

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
 * @throws {OutOfMemoryError} before anything is uploaded where the weights do not fit, with what each part of the model needs.
 */
export async function readWeights(
  device: Device,
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  { dtype, ignore, sources }: ReadWeightsOptions = {},
): Promise<Map<string, Weight>> {
  const found = findWeights(checkpoint, shapes, sources, ignore);
  const needs = found.map(({ name, shape, stored }) => weightMemory(name, shape, dtype ?? floats[stored]));
  const widens = dtype && found.some(({ stored }) => floats[stored] !== dtype);
  requireMemory(device, checkpoint.name, needs, `${widens ? leaner : ""}Take a smaller model, or another adapter.`);
  const weights = new Map<string, Weight>();
  let unsettled = 0;
  try {
    for (const { name, shape, tensor, stored, range } of inFileOrder(checkpoint, found)) {
      const weight = device.lasting(shape, dtype ?? floats[stored], name);
      weights.set(name, weight);
      for await (const { offset, bytes } of checkpoint.readChunks(tensor, pieceBytes, range)) {
        if (weight.dtype === floats[stored]) device.writeBytes(weight, offset, bytes);
        else device.writeBytes(weight, offset * 2, fromFloat32(toFloat32(bytes, stored), "F32"));
        unsettled += bytes.length;
        if (unsettled < unsettledBytes) continue;
        await device.idle(); // Meanwhile the next piece is read.
        unsettled = 0;
      }
    }
    await device.idle();
    return weights;
  } catch (error) {
    for (const weight of weights.values()) weight.dispose();
    throw error;
  }
}

const leaner = 'Leave the weights in the dtype they have on disk: only training needs dtype "f32". ';

/** So that a disk reads forwards. */
function inFileOrder(checkpoint: Checkpoint, weights: readonly FoundWeight[]): FoundWeight[] {
  const places = new Map(checkpoint.names().map((name, place) => [name, place]));
  return weights.toSorted((a, b) => places.get(a.tensor)! - places.get(b.tensor)! || a.range.begin - b.range.begin);
}

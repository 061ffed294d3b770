import {
  type Checkpoint,
  type Device,
  type FloatDType,
  fromFloat32,
  type SafetensorsDtype,
  type Tensor,
  toFloat32,
  type Weight,
} from "@lethe/tensor";
import { ModelError } from "./errors.ts";

/** Bytes that are on their way from disk to the device at a time: two of these are in memory. */
const chunkBytes = 8 * 2 ** 20;

const floats = { F32: "f32", F16: "f16", BF16: "bf16" } as const;
type FloatTensor = keyof typeof floats;

/** Shape of each weight by its name in the checkpoint. */
export type WeightShapes = ReadonlyMap<string, readonly number[]>;

export interface ReadWeightsOptions {
  /** What the weights are held in on the device. Default: each in the dtype it has on disk. Training needs `f32`. */
  readonly dtype?: "f32";
  /** Names that may be there and are passed over, such as buffers that are computed. */
  readonly ignore?: readonly RegExp[];
}

/**
 * Streams a model's weights to the device, each once, in pieces that need little memory here. They belong to no scope.
 * @throws {ModelError} that lists every missing, unexpected, mis-shaped and unreadable tensor at once.
 */
export async function readWeights(
  device: Device,
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  { dtype, ignore = [] }: ReadWeightsOptions = {},
): Promise<Map<string, Weight>> {
  checkWeights(checkpoint, shapes, ignore);
  const weights = new Map<string, Weight>();
  try {
    // In the order of the file, so that a disk reads forwards.
    for (const name of checkpoint.names().filter((name) => shapes.has(name))) {
      const stored = checkpoint.info(name).dtype as FloatTensor;
      const weight = allocate(device, name, shapes.get(name)!, dtype ?? floats[stored]);
      weights.set(name, weight);
      for await (const { offset, bytes } of checkpoint.readChunks(name, chunkBytes)) {
        if (weight.dtype === floats[stored]) device.writeBytes(weight, offset, bytes);
        else device.writeBytes(weight, offset * 2, fromFloat32(toFloat32(bytes, stored), "F32"));
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

function checkWeights(checkpoint: Checkpoint, shapes: WeightShapes, ignore: readonly RegExp[]): void {
  const faults: string[] = [];
  for (const [name, shape] of shapes) {
    if (!checkpoint.has(name)) {
      faults.push(`missing: ${name} [${shape}]`);
      continue;
    }
    const info = checkpoint.info(name);
    if (`${info.shape}` !== `${shape}`)
      faults.push(`mis-shaped: ${name} is [${info.shape}], and config.json asks for [${shape}]`);
    if (!(info.dtype in floats)) faults.push(`not a floating-point type: ${name} is ${info.dtype}`);
  }
  for (const name of checkpoint.names()) {
    if (!shapes.has(name) && !ignore.some((pattern) => pattern.test(name)))
      faults.push(`unexpected: ${name} [${checkpoint.info(name).shape}]`);
  }
  if (faults.length === 0) return;
  throw new ModelError(
    `${checkpoint.name}: its tensors are not those of the model that config.json describes.\n  ${faults.join("\n  ")}`,
  );
}

/** A tensor as the safetensors writer takes it, read back from the device when its turn comes. */
export function weightToWrite(name: string, weight: Tensor, dtype: FloatDType = weight.dtype as FloatDType) {
  const stored = { f32: "F32", f16: "F16", bf16: "BF16" } as const;
  async function* data() {
    yield fromFloat32((await weight.read()) as Float32Array<ArrayBuffer>, stored[dtype]);
  }
  return { name, dtype: stored[dtype] satisfies SafetensorsDtype, shape: weight.shape, data };
}

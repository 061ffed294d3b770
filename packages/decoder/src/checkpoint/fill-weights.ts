import { type Checkpoint, type Device, fromFloat32, toFloat32, type Weight } from "@lethe/tensor";
import { type FoundWeight, floats } from "./find-weights.ts";
import type { Watch } from "./progress.ts";

/** Bytes of a piece on its way to the device. Five pieces are in memory at a time. */
const pieceBytes = 8 * 2 ** 20;

/** Bytes that may be uploaded before a wait for the device. WebGPU keeps a copy of each piece until the device has it. */
const unsettledBytes = 64 * 2 ** 20;

const stored = { f32: "F32", f16: "F16", bf16: "BF16" } as const;

/**
 * Writes a checkpoint's weights into tensors on the device, in small pieces, and yields each weight when its last piece is on the way. Numbers
 * are rounded where a tensor is narrower than the checkpoint. Pieces are read ahead of what is written, also while the caller has a weight.
 * What the device was told before is done before a write, and what it is told afterwards comes after.
 * @param found in the order in which they are written
 * @param tensorOf a weight's tensor, of its shape
 * @throws the signal's reason when it is aborted
 */
export async function* fillInTurn(
  device: Device,
  checkpoint: Checkpoint,
  found: readonly FoundWeight[],
  tensorOf: (weight: FoundWeight) => Weight,
  { signal, onProgress }: Watch,
): AsyncGenerator<FoundWeight, void, void> {
  const bytesOf = ({ range }: FoundWeight) => range.end - range.begin;
  const totalBytes = found.reduce((sum, weight) => sum + bytesOf(weight), 0);
  let doneBytes = 0;
  let unsettled = 0;
  const wanted = found.map(({ tensor, range }) => ({ name: tensor, range }));
  for await (const { index, offset, bytes } of checkpoint.readRanges(wanted, pieceBytes)) {
    signal?.throwIfAborted();
    const weight = found[index]!;
    const tensor = tensorOf(weight);
    const asStored = weight.stored !== "F64" && tensor.dtype === floats[weight.stored];
    // Where values are converted, an element's place on the device is not its place in the file.
    const place = offset * (tensor.bytes / bytesOf(weight));
    const values = asStored ? bytes : fromFloat32(toFloat32(bytes, weight.stored), stored[tensor.dtype]);
    device.writeBytes(tensor, place, values);
    doneBytes += bytes.length;
    onProgress?.({ stage: "weights", doneBytes, totalBytes });
    unsettled += bytes.length;
    if (offset + bytes.length === bytesOf(weight)) yield weight;
    if (unsettled < unsettledBytes) continue;
    await device.idle(); // The next pieces are read meanwhile.
    unsettled = 0;
  }
}

/** Writes a checkpoint's weights into tensors on the device; see {@link fillInTurn}. The device has them when this resolves. */
export async function fillWeights(...given: Parameters<typeof fillInTurn>): Promise<void> {
  const [device] = given;
  for await (const _ of fillInTurn(...given));
  await device.idle();
}

/** Weights in the order of the file, so that the disk is read forwards. */
export function inFileOrder(checkpoint: Checkpoint, weights: readonly FoundWeight[]): FoundWeight[] {
  const places = new Map(checkpoint.names().map((name, place) => [name, place]));
  return weights.toSorted((a, b) => places.get(a.tensor)! - places.get(b.tensor)! || a.range.begin - b.range.begin);
}

import { batchOf } from "@lethe/decoder";
import type { Llama } from "@lethe/llama";
import { affine, type Device, type F32 } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";

/** A small LLaMA with larger weights than fresh ones, with which a model is nearly linear. It ran once, for tests that count bytes. */
export function livelyLlama(device: Device, seed: number, layers: number): Llama {
  const model = smallLlama(device, seed, { num_hidden_layers: layers });
  using _ = device.scope("warm-up");
  for (const [name, weight] of model.weights)
    if (!name.includes("norm")) device.copyBytes(affine(weight as F32, { factor: 12 }), 0, weight, 0, weight.bytes);
  model.forward(batchOf(device, [[1]]));
  return model;
}

import { type LlamaConfigInput, llama, llamaConfig } from "@lethe/llama";
import { castInto, type Device, full, randomNormal, type Weight } from "@lethe/tensor";

/** Standard deviation of the weights, as models are initialised. */
const std = 0.02;

/** A checkpoint to be written. */
interface RandomCheckpoint {
  readonly sizes: LlamaConfigInput;
  readonly seed: number;
  /** Bytes of a file's weights at most. */
  readonly maxShardBytes: number;
}

/** Writes a LLaMA of random weights in bf16 to a directory. One matrix at a time is in f32. */
export async function writeRandomCheckpoint(
  device: Device,
  directory: string,
  { sizes, seed, maxShardBytes }: RandomCheckpoint,
): Promise<void> {
  const config = llamaConfig(sizes);
  const weights = new Map<string, Weight>();
  for (const [i, [name, shape]] of [...llama.shapes(config)].entries()) {
    const weight = device.lasting(shape, "bf16", name);
    weights.set(name, weight);
    using _ = device.scope("random weight");
    const random = { seed: seed * 65_536 + i, std };
    castInto(weight, shape.length === 1 ? full(device, shape, 1) : randomNormal(device, shape, random));
  }
  using model = llama.create({ device, config, weights });
  await model.save(directory, { maxShardBytes });
}

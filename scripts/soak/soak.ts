import { initModel } from "@lethe/auto";
import { type Device, integerBelow, type MemoryReport, randomOf } from "@lethe/tensor";
import { AdamW, labelledBatch, type MicroBatch, selectTrainable, train } from "@lethe/unlearn";

/** A small model: what is soaked is the account of buffers, bind groups and work, not the arithmetic. */
const config = {
  model_type: "llama",
  vocab_size: 64,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};
const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };

export interface SoakOptions {
  readonly seed: number;
  /** Tokens of the longest sequence. With up to four sequences in a batch there are four times as many shapes. */
  readonly longest: number;
  /** Batches of a step. */
  readonly batchesInStep: number;
}

/** What a device holds after a step. */
export interface SoakRecord {
  /** Batches so far. */
  readonly batches: number;
  readonly loss: number;
  readonly memory: MemoryReport;
}

/**
 * Trains a small model without end, on batches of random shapes and none of them padded to few lengths, and lets it generate after
 * each step. The caller leaves the loop to stop.
 */
export async function* soak(
  device: Device,
  { seed, longest, batchesInStep }: SoakOptions,
): AsyncGenerator<SoakRecord, void, void> {
  const random = randomOf(seed, "soak");
  using model = initModel(device, config, seed);
  using optimiser = new AdamW(selectTrainable(model.weights), settings);
  const text = (length: number) => Array.from({ length }, () => integerBelow(config.vocab_size, random));
  const microBatch = (index: number): MicroBatch => {
    const length = 2 + integerBelow(longest - 1, random);
    const texts = Array.from({ length: 1 + integerBelow(4, random) }, () => text(length));
    return {
      name: `batch ${index}`,
      loss({ ops }) {
        const { labels, ...batch } = labelledBatch(device, texts);
        return ops.crossEntropy(model.forward(batch, { ops }), labels, { reduction: "mean" });
      },
    };
  };
  function* steps() {
    for (let step = 0; ; step++)
      yield Array.from({ length: batchesInStep }, (_, i) => microBatch(step * batchesInStep + i + 1));
  }
  for await (const { step, loss } of train(device, { optimiser, schedule: () => 1e-3, steps: steps() })) {
    await model.generate([text(1 + integerBelow(longest, random))], { maxNewTokens: 2, stop: [] });
    yield { batches: step * batchesInStep, loss, memory: device.memory() };
  }
}

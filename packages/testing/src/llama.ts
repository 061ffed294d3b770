import { batchOf } from "@lethe/decoder";
import { initLlama, type Llama, type LlamaConfigInput } from "@lethe/llama";
import type { Device } from "@lethe/tensor";

/** A LLaMA with fresh weights, small enough for a test, with two query heads for each key head. */
export function smallLlama(
  device: Device,
  seed: number,
  overrides: Partial<Omit<LlamaConfigInput, "model_type">> = {},
): Llama {
  const config = {
    vocab_size: 53,
    hidden_size: 16,
    intermediate_size: 22,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    eos_token_id: 1,
    ...overrides,
  };
  return initLlama(device, config, seed);
}

/**
 * A {@link smallLlama} that ran once, for tests that count bytes: a model makes its rotary table in its first run and keeps it.
 */
export function warmLlama(device: Device, seed: number): Llama {
  const model = smallLlama(device, seed);
  using _ = device.scope("warm-up");
  model.forward(batchOf(device, [[1]]));
  return model;
}

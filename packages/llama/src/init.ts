import type { Text } from "@lethe/decoder";
import { type Device, full, randomNormal, type Weight } from "@lethe/tensor";
import { type LlamaConfigInput, llamaConfig } from "./config.ts";
import { Llama } from "./llama.ts";
import { weightShapes } from "./weights.ts";

/** Standard deviation of fresh weights. */
const std = 0.02;

/**
 * A LLaMA with fresh f32 weights: N(0, 0.02²), the projections that write to the residual stream scaled by 1/√(2L) (Radford et
 * al. 2019), norms at 1. Same seed, same weights. The model belongs to the caller, who disposes of it.
 * @param config Hugging Face's fields, of which the sizes are required
 * @throws {ConfigError} when the configuration is wrong or asks for what is not supported
 */
export function initLlama(device: Device, config: LlamaConfigInput, seed: number, text?: Text): Llama {
  const checked = llamaConfig(config);
  const residual = std / Math.sqrt(2 * checked.num_hidden_layers);
  const weights = new Map<string, Weight>();
  using _scope = device.scope("fresh weights");
  for (const [name, shape] of weightShapes(checked)) {
    const writes = /\.(o_proj|down_proj)\.weight$/.test(name);
    // Each weight has a stream of its own: the generator counts elements within one call.
    const options = { seed: seed * 65_536 + weights.size, std: writes ? residual : std };
    const weight = shape.length === 1 ? full(device, shape, 1) : randomNormal(device, shape, options);
    weights.set(name, weight.retain());
  }
  const stopTokens = [checked.eos_token_id ?? []].flat();
  return new Llama({ device, config: checked, weights, text, stopTokens });
}

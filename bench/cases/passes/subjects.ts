import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initLlama, type Llama, type LlamaConfigInput, llama, llamaConfig, loadLlama } from "@lethe/llama";
import { cast, type Device, type FloatDType } from "@lethe/tensor";
import { tokensLike } from "../../inputs.ts";

/** A model whose passes are timed. */
export interface Subject {
  readonly name: string;
  readonly config: LlamaConfigInput;
  /** Bytes of one weight. */
  readonly weightBytes: number;
  /** Opens the model. It belongs to the caller, who may train it. */
  open(device: Device): Promise<Llama>;
}

const smallConfig: LlamaConfigInput = {
  vocab_size: 4096,
  hidden_size: 256,
  intermediate_size: 688,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

/** Fresh weights, so large that matrix products take most of the time. */
export const small: Subject = {
  name: "4 layers of 256",
  config: smallConfig,
  weightBytes: 4,
  open: async (device) => initLlama(device, smallConfig, 1),
};

export const smallBf16: Subject = {
  name: "4 layers of 256, bf16",
  config: smallConfig,
  weightBytes: 2,
  open: async (device) => packed(initLlama(device, smallConfig, 1), "bf16"),
};

const directory = fileURLToPath(new URL("../../../models/tiny-llama", import.meta.url));

/** The model of the main job. */
export const tiny: Subject = {
  name: "tiny-llama",
  config: JSON.parse(readFileSync(`${directory}/config.json`, "utf8")),
  weightBytes: 4,
  open: (device) => loadLlama(device, directory),
};

/** The same model with weights of another dtype. Releases the model that it is given. */
function packed(model: Llama, dtype: FloatDType): Llama {
  const { device, config } = model;
  using _given = model;
  using _scope = device.scope("packed weights");
  const weights = [...model.weights].map(([name, weight]) => [name, cast(weight, { dtype }).retain()] as const);
  return llama.create({ device, config, weights: new Map(weights) });
}

/** Parameters of a model’s matrix products, in one layer and in the unembedding. A token takes twice as many operations. */
export function productParameters({ config }: Subject): { layers: number; layer: number; unembedding: number } {
  const checked = llamaConfig(config);
  const inLayers = [...llama.shapes(checked)].filter(
    ([name, shape]) => name.includes(".layers.") && shape.length === 2,
  );
  const { num_hidden_layers: layers, vocab_size: vocabulary, hidden_size: width } = checked;
  const total = inLayers.reduce((sum, [, shape]) => sum + shape[0]! * shape[1]!, 0);
  return { layers, layer: total / layers, unembedding: vocabulary * width };
}

/** Floating-point operations of the matrix products for one token. */
export function flopsPerToken(subject: Subject): number {
  const { layers, layer, unembedding } = productParameters(subject);
  return 2 * (layers * layer + unembedding);
}

/** Sequences of token ids for a subject. */
export function sequences({ config }: Subject, batch: number, length: number): number[][] {
  return tokensLike(config.vocab_size, batch, length);
}

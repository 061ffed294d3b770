import { type CommonInput, checkConfig, commonFields, type DecoderConfig } from "@lethe/decoder";
import { z } from "zod";

const schema = commonFields.extend({
  rms_norm_eps: z.number().positive().default(1e-6),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** A LLaMA's `config.json`, checked, with every default filled in. Other fields are kept as they are. */
export type LlamaConfig = DecoderConfig & z.infer<typeof schema>;

/** What {@link llamaConfig} takes: Hugging Face's fields; the sizes are required. */
export type LlamaConfigInput = z.input<typeof schema> & CommonInput;

/**
 * Checks a LLaMA's `config.json`: `LlamaForCausalLM` from LLaMA-1 to 3.x.
 * @throws {ConfigError} that names every field that is wrong or not supported
 */
export function llamaConfig(raw: LlamaConfigInput, where?: string): LlamaConfig {
  return checkConfig(raw, { schema, modelType: "llama", architecture: "Llama" }, where);
}

import { type CommonInput, checkConfig, commonFields, type DecoderConfig } from "@lethe/decoder";
import { z } from "zod";
import { fromOriginal, isOriginal } from "./original.ts";

const olmoSchema = commonFields.extend({
  attention_bias: z.boolean().default(false),
  clip_qkv: z.number().positive().nullable().default(null),
});

/** An OLMo-1's `config.json`, checked, with every default filled in. Other fields are kept as they are. */
export type OlmoConfig = DecoderConfig & z.infer<typeof olmoSchema>;

/** What {@link olmoConfig} takes: Hugging Face's fields; the sizes are required. */
export type OlmoConfigInput = z.input<typeof olmoSchema> & CommonInput;

/**
 * Checks an OLMo-1's `config.json`. One of an original checkpoint (`hf_olmo`) is turned into an `olmo` of `transformers`.
 * @throws {ConfigError} that names every field that is wrong or not supported
 */
export function olmoConfig(raw: OlmoConfigInput, where?: string): OlmoConfig {
  const fields = isOriginal(raw) ? fromOriginal(raw, where) : raw;
  return checkConfig(fields, { schema: olmoSchema, modelType: "olmo", architecture: "Olmo" }, where);
}

const olmo2Schema = commonFields.extend({
  attention_bias: z.boolean().default(false),
  rms_norm_eps: z.number().positive().default(1e-5),
});

/** An OLMo-2's `config.json`, checked, with every default filled in. Other fields are kept as they are. */
export type Olmo2Config = DecoderConfig & z.infer<typeof olmo2Schema>;

/** What {@link olmo2Config} takes: Hugging Face's fields; the sizes are required. */
export type Olmo2ConfigInput = z.input<typeof olmo2Schema> & CommonInput;

/**
 * Checks an OLMo-2's `config.json`.
 * @throws {ConfigError} that names every field that is wrong or not supported
 */
export function olmo2Config(raw: Olmo2ConfigInput, where?: string): Olmo2Config {
  return checkConfig(raw, { schema: olmo2Schema, modelType: "olmo2", architecture: "Olmo2" }, where);
}

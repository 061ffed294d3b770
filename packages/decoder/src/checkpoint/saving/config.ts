import type { FloatDType } from "@lethe/tensor";
import type { Model } from "../../pass/model.ts";

const torchNames = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/** Fields that are floats in `transformers`. It refuses some of them without a decimal point: `clip_qkv` must be 8.0, not 8. */
const wholeFloats =
  /^( *"(?:attention_dropout|clip_qkv|initializer_range|rms_norm_eps|rope_theta|(?:low_freq_|high_freq_|attention_)?factor)": -?\d+)(?=,?$)/gm;

/**
 * The text of a model's `config.json`, in the spellings of both `transformers` 4 and 5: `torch_dtype` and `dtype`; `rope_theta` with
 * `rope_scaling`, and `rope_parameters` where the model has them.
 * @param stored the dtypes of the weights in the file
 */
export function configText({ config, stopTokens }: Model, stored: ReadonlySet<FloatDType>): string {
  // `transformers` converts all weights to this dtype by default. f32 holds any mixture exactly.
  const dtype = torchNames[stored.size === 1 ? [...stored][0]! : "f32"];
  const ends = stopTokens.length === 1 ? stopTokens[0] : stopTokens;
  const eos = config.eos_token_id == null && stopTokens.length > 0 ? { eos_token_id: ends } : {};
  const text = JSON.stringify({ ...config, ...formerRope(config), ...eos, dtype, torch_dtype: dtype }, null, 2);
  return `${text.replace(wholeFloats, "$1.0")}\n`;
}

/** `rope_parameters` in the spelling of `transformers` 4, which does not know them. */
function formerRope({ rope_parameters: given, rope_scaling: scaling }: Model["config"]): object {
  if (!given || scaling) return {};
  const { rope_theta, ...others } = given as Readonly<Record<string, unknown>>;
  const kind = others.rope_type ?? others.type ?? "default";
  return { ...(rope_theta ? { rope_theta } : {}), ...(kind === "default" ? {} : { rope_scaling: others }) };
}

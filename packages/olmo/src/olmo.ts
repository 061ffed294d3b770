import { type BlockStyle, Decoder, type Norm, shapesOf, type WeightShapes } from "@lethe/decoder";
import type { OlmoConfig } from "./config.ts";

/** LayerNorm without parameters. */
const norm: Norm = { kind: "layer", weight: null, eps: 1e-5 };

/** OLMo-1 (Groeneveld et al. 2024): LayerNorm without parameters before each sub-layer; queries, keys and values may be clipped. */
export class Olmo extends Decoder<OlmoConfig> {
  protected blockStyle(): BlockStyle {
    return { attention: { normBefore: norm, clip: this.config.clip_qkv ?? undefined }, mlp: { normBefore: norm } };
  }

  protected finalNorm(): Norm {
    return norm;
  }
}

/** Every weight's shape, in the order of the forward pass; linear ones are `[out, in]`. */
export function olmoShapes(config: OlmoConfig): WeightShapes {
  return shapesOf(config, { attentionBias: config.attention_bias, finalNorm: false });
}

import { type BlockStyle, Decoder, modules, type Norm } from "@lethe/decoder";
import type { LlamaConfig } from "./config.ts";
import { norms } from "./weights.ts";

/** LLaMA (Touvron et al. 2023): RMSNorm before each sub-layer, rotary positions, grouped queries, a gated MLP. */
export class Llama extends Decoder<LlamaConfig> {
  protected blockStyle(layer: number): BlockStyle {
    return {
      attention: { normBefore: this.#norm(norms.attention(layer)) },
      mlp: { normBefore: this.#norm(norms.mlp(layer)) },
    };
  }

  protected finalNorm(): Norm {
    return this.#norm(modules.finalNorm);
  }

  #norm(module: string): Norm {
    return { kind: "rms", weight: this.weight(module), eps: this.config.rms_norm_eps };
  }
}

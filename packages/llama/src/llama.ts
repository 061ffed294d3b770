import { type BlockStyle, Decoder, modules, type Norm } from "@lethe/decoder";
import type { Site } from "@lethe/hooks";
import type { LlamaConfig } from "./config.ts";
import { norms } from "./weights.ts";

/** LLaMA (Touvron et al. 2023): RMSNorm before each sub-layer, rotary positions, grouped queries, a gated MLP. */
export class Llama extends Decoder<LlamaConfig> {
  protected readonly absentSites: readonly Site[] = ["A_before_norm", "M_before_norm"];

  protected blockStyle(layer: number): BlockStyle {
    return {
      attention: {
        normBefore: this.#norm(norms.attention(layer)),
        normAfter: null,
        normQuery: null,
        normKey: null,
        clip: null,
      },
      mlp: { normBefore: this.#norm(norms.mlp(layer)), normAfter: null },
    };
  }

  protected finalNorm(): Norm {
    return this.#norm(modules.finalNorm);
  }

  #norm(module: string): Norm {
    return { kind: "rms", weight: this.weight(module), eps: this.config.rms_norm_eps };
  }
}

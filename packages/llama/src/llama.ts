import { attentionState, Decoder, mlpOutput, type Pass, rmsNorm } from "@lethe/decoder";
import type { F32 } from "@lethe/tensor";
import type { LlamaConfig } from "./config.ts";
import { names } from "./weights.ts";

/** LLaMA (Touvron et al. 2023): RMSNorm before each sub-layer, rotary positions, grouped queries, a gated MLP. */
export class Llama extends Decoder<LlamaConfig> {
  protected readonly names = {
    embedding: names.embedding,
    unembedding: this.config.tie_word_embeddings ? names.embedding : names.head,
    valueVectors: names.down,
  };

  protected block(pass: Pass, layer: number, entering: F32): F32 {
    const { ops, hooks, weight } = pass;
    const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: width } = this.config;
    const x = hooks.at("resid_pre", layer, entering);
    const attention = {
      query: weight(names.query(layer)),
      key: weight(names.key(layer)),
      value: weight(names.value(layer)),
      output: weight(names.output(layer)),
    };
    const mlp = { gate: weight(names.gate(layer)), up: weight(names.up(layer)), down: weight(names.down(layer)) };
    const norm = (site: "ln1" | "ln2", name: string) => (x: F32) => this.#norm(pass, site, layer, x, name);
    const A = attentionState(pass, layer, x, norm("ln1", names.inputNorm(layer)), attention, { heads, groups, width });
    const mid = hooks.at("resid_mid", layer, ops.add(x, A));
    const M = mlpOutput(pass, layer, mid, norm("ln2", names.mlpNorm(layer)), mlp);
    return hooks.at("resid_post", layer, ops.add(mid, M));
  }

  protected finalNorm(pass: Pass, x: F32): F32 {
    return this.#norm(pass, "ln_final", null, x, names.finalNorm);
  }

  /** θ^(−2i/D) for i from 0 to D/2 − 1 (Su et al. 2021). */
  protected inverseFrequencies(): readonly number[] {
    const { head_dim: width, rope_theta: theta } = this.config;
    return Array.from({ length: width / 2 }, (_, i) => theta ** ((-2 * i) / width));
  }

  #norm(pass: Pass, site: "ln1" | "ln2" | "ln_final", layer: number | null, x: F32, name: string): F32 {
    return rmsNorm(pass, site, layer, x, { weight: pass.weight(name), eps: this.config.rms_norm_eps });
  }
}

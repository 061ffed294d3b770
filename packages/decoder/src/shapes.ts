import type { DecoderConfig } from "./config.ts";
import { modules } from "./names.ts";
import type { WeightShapes } from "./weight-sources.ts";

/** What of a family's weights is its own. */
export interface OwnWeights {
  /** Whether the projections of attention have biases. Default: not. */
  readonly attentionBias?: boolean;
  /** Whether the projections of the MLP have biases. Default: not. */
  readonly mlpBias?: boolean;
  /** Norms of a layer's attention and of its MLP, by module, with their widths. */
  norms?(layer: number): Readonly<Record<"attention" | "mlp", readonly (readonly [string, number])[]>>;
  /** Whether the last norm has a weight. */
  readonly finalNorm: boolean;
}

/** Every weight's shape, in the order of the forward pass; linear ones are `[out, in]`. */
export function shapesOf(config: DecoderConfig, own: OwnWeights): WeightShapes {
  const { hidden_size: d, intermediate_size: n, vocab_size: vocabulary } = config;
  const queries = config.num_attention_heads * config.head_dim;
  const keys = config.num_key_value_heads * config.head_dim;
  const shapes = new Map<string, readonly number[]>();
  const weight = (module: string, ...shape: number[]) => shapes.set(`${module}.weight`, shape);
  const linear = (module: string, out: number, inputs: number, bias = false) => {
    weight(module, out, inputs);
    if (bias) shapes.set(`${module}.bias`, [out]);
  };
  weight(modules.embedding, vocabulary, d);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const norms = own.norms?.(layer);
    for (const [module, width] of norms?.attention ?? []) weight(module, width);
    linear(modules.query(layer), queries, d, own.attentionBias);
    linear(modules.key(layer), keys, d, own.attentionBias);
    linear(modules.value(layer), keys, d, own.attentionBias);
    linear(modules.output(layer), d, queries, own.attentionBias);
    for (const [module, width] of norms?.mlp ?? []) weight(module, width);
    linear(modules.gate(layer), n, d, own.mlpBias);
    linear(modules.up(layer), n, d, own.mlpBias);
    linear(modules.down(layer), d, n, own.mlpBias);
  }
  if (own.finalNorm) weight(modules.finalNorm, d);
  if (!config.tie_word_embeddings) weight(modules.unembedding, vocabulary, d);
  return shapes;
}

/** Tensors of published checkpoints that are computed here, or are another's under tied embeddings. */
export function ignoredTensors({ tie_word_embeddings: tied }: DecoderConfig): RegExp[] {
  const rotary = /\.rotary_emb\.inv_freq$/;
  return tied ? [rotary, /^lm_head\.weight$/] : [rotary];
}

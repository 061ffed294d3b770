import { joined, type Weight } from "@lethe/tensor";
import type { DecoderConfig } from "../checkpoint/config.ts";
import { ModelUseError } from "../errors.ts";
import type { Block } from "./block.ts";
import type { Linear, Norm } from "./modules.ts";

/** Modules that every family has, by Hugging Face's names. A module's weight is `NAME.weight`, its bias `NAME.bias`. */
export const modules = {
  embedding: "model.embed_tokens",
  finalNorm: "model.norm",
  unembedding: "lm_head",
  query: (layer: number) => `model.layers.${layer}.self_attn.q_proj`,
  key: (layer: number) => `model.layers.${layer}.self_attn.k_proj`,
  value: (layer: number) => `model.layers.${layer}.self_attn.v_proj`,
  output: (layer: number) => `model.layers.${layer}.self_attn.o_proj`,
  gate: (layer: number) => `model.layers.${layer}.mlp.gate_proj`,
  up: (layer: number) => `model.layers.${layer}.mlp.up_proj`,
  down: (layer: number) => `model.layers.${layer}.mlp.down_proj`,
} as const;

/** Norms around a sub-layer, by their module's name without `model.layers.N.`; a place without a name has no norm. */
interface NormNames {
  readonly normBefore?: string;
  readonly normAfter?: string;
}

/** How a family differs from others in the modules of a model. */
export interface Layout {
  /** All norms of the family: RMSNorm or LayerNorm, their ε, and whether they have weights. */
  readonly norm: { readonly kind: Norm["kind"]; readonly eps: number; readonly weighted: boolean };
  readonly attention: NormNames & {
    readonly normQuery?: string;
    readonly normKey?: string;
    /** Whether the four projections have biases. Default: false. */
    readonly bias?: boolean;
    /** Queries, keys and values are limited to this absolute value. Default: no limit. */
    readonly clip?: number | undefined;
  };
  readonly mlp: NormNames & {
    /** Whether the three projections have biases. Default: false. */
    readonly bias?: boolean;
  };
}

/** The weights of a model, put where its forward pass uses them. */
export interface Modules {
  readonly embedding: Weight;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  /** The embedding where the two are tied. */
  readonly unembedding: Weight;
}

/**
 * Builds the modules of a model.
 * @param weight gives a weight by its name; it is called once for each, in the order of the forward pass. Shapes of linear layers are
 *   `[out, in]`.
 */
function buildModules(
  config: DecoderConfig,
  layout: Layout,
  weight: (name: string, shape: readonly number[]) => Weight,
): Modules {
  const { hidden_size: d, intermediate_size: n, vocab_size: vocabulary } = config;
  const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: width } = config;
  const [queries, keys] = [heads * width, groups * width];
  const linear = (module: string, out: number, inputs: number, bias = false): Linear => ({
    weight: weight(`${module}.weight`, [out, inputs]),
    bias: bias ? weight(`${module}.bias`, [out]) : undefined,
  });
  const { kind, eps, weighted } = layout.norm;
  const norm = (module: string, size: number): Norm => ({
    kind,
    eps,
    weight: weighted ? weight(`${module}.weight`, [size]) : null,
  });
  const block = (layer: number): Block => {
    const { attention, mlp } = layout;
    const normAt = (name: string | undefined, size: number) =>
      name === undefined ? undefined : norm(`model.layers.${layer}.${name}`, size);
    return {
      attention: {
        heads,
        groups,
        width,
        clip: attention.clip,
        normQuery: normAt(attention.normQuery, queries),
        normKey: normAt(attention.normKey, keys),
        normBefore: normAt(attention.normBefore, d),
        normAfter: normAt(attention.normAfter, d),
        query: linear(modules.query(layer), queries, d, attention.bias),
        key: linear(modules.key(layer), keys, d, attention.bias),
        value: linear(modules.value(layer), keys, d, attention.bias),
        output: linear(modules.output(layer), d, queries, attention.bias),
        joint: false,
      },
      mlp: {
        normBefore: normAt(mlp.normBefore, d),
        normAfter: normAt(mlp.normAfter, d),
        gate: linear(modules.gate(layer), n, d, mlp.bias),
        up: linear(modules.up(layer), n, d, mlp.bias),
        down: linear(modules.down(layer), d, n, mlp.bias),
        joint: false,
      },
    };
  };
  const embedding = weight(`${modules.embedding}.weight`, [vocabulary, d]);
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, layer) => block(layer));
  const finalNorm = norm(modules.finalNorm, d);
  const tied = config.tie_word_embeddings;
  const unembedding = tied ? embedding : weight(`${modules.unembedding}.weight`, [vocabulary, d]);
  return { embedding, blocks, finalNorm, unembedding };
}

/** The modules of a model with the given weights. @throws {ModelUseError} when a weight is missing */
export function modulesOf(config: DecoderConfig, layout: Layout, weights: ReadonlyMap<string, Weight>): Modules {
  const modules = buildModules(config, layout, (name) => {
    const weight = weights.get(name);
    if (!weight) throw new ModelUseError(`${config.model_type} needs a weight "${name}"; it was made without one`);
    return weight;
  });
  const blocks = modules.blocks.map(({ attention, mlp }) => {
    const { query, key, value, normQuery, normKey, clip } = attention;
    const plain = !(normQuery || normKey || clip !== undefined);
    return {
      attention: { ...attention, joint: plain && oneProduct([query, key, value]) },
      mlp: { ...mlp, joint: mlp.gate.weight.shape[0]! % 4 === 0 && oneProduct([mlp.gate, mlp.up]) },
    };
  });
  return { ...modules, blocks };
}

/** Whether the layers, which have the same input, can be computed by one product. */
function oneProduct(layers: readonly Linear[]): boolean {
  if (layers.some(({ bias }) => bias)) return false;
  using whole = joined<Weight["dtype"]>(layers.map(({ weight }) => weight));
  return whole !== null;
}

/** Shape of each weight by its name. */
export type WeightShapes = ReadonlyMap<string, readonly number[]>;

/** The shape of every weight, in the order of the forward pass. Weights of linear layers are `[out, in]`. */
export function weightShapes(config: DecoderConfig, layout: Layout): WeightShapes {
  const shapes = new Map<string, readonly number[]>();
  buildModules(config, layout, (name, shape) => {
    shapes.set(name, shape);
    return undefined as never; // The modules are thrown away.
  });
  return shapes;
}

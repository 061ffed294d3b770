/** A kind of place in a decoder's forward pass where hooks can read or change a tensor. */
export interface SiteDescription {
  /** TransformerLens's name, without the `blocks.N.` of a site in a block. Absent where TransformerLens has none. */
  readonly alias?: string;
  /** Whether every block has such a site. */
  readonly inBlock: boolean;
  /** A parameter is the same in every run, and is stored in its own dtype. */
  readonly parameter?: true;
  /** Only in families that normalise the output of a sub-layer before adding it to the residual stream (OLMo-2). */
  readonly postNorm?: true;
  /** Part of a fused kernel. It is computed by itself only in layers where a hook asks for it. */
  readonly onRequest?: true;
  /** Where a run asks for the logits of some rows, it has only those. */
  readonly inRows?: true;
  /** The axis of positions: of queries, where there are keys too. Default: 1. */
  readonly positionAxis?: number;
  /** The axis of heads, where the site has heads. */
  readonly headAxis?: number;
  /** Its content: B sequences, T positions, d wide; H query heads and G key heads of D; n coefficients; V tokens. */
  readonly holds: string;
}

const table = {
  embed: { alias: "hook_embed", inBlock: false, holds: "[B, T, d] embeddings of the tokens" },
  resid_pre: { alias: "hook_resid_pre", inBlock: true, holds: "[B, T, d] residual stream entering the block" },
  ln1_scale: {
    alias: "ln1.hook_scale",
    inBlock: true,
    onRequest: true,
    holds: "[B, T, 1] what the norm before attention divides by: √(mean(x²) + ε), of the centred x in a LayerNorm",
  },
  ln1: {
    alias: "ln1.hook_normalized",
    inBlock: true,
    onRequest: true,
    holds: "[B, T, d] residual stream normalised for attention, before the norm's weight",
  },
  q: { alias: "attn.hook_q", inBlock: true, headAxis: 2, holds: "[B, T, H, D] queries, before their rotation" },
  rot_q: { alias: "attn.hook_rot_q", inBlock: true, headAxis: 2, holds: "[B, T, H, D] queries, rotated" },
  k: { alias: "attn.hook_k", inBlock: true, headAxis: 2, holds: "[B, T, G, D] keys, before their rotation" },
  rot_k: { alias: "attn.hook_rot_k", inBlock: true, headAxis: 2, holds: "[B, T, G, D] keys, rotated" },
  v: { alias: "attn.hook_v", inBlock: true, headAxis: 2, holds: "[B, T, G, D] values" },
  attn_scores: {
    alias: "attn.hook_attn_scores",
    inBlock: true,
    onRequest: true,
    headAxis: 1,
    positionAxis: 2,
    holds: "[B, H, T, S] q·k / √D of T queries and S keys, −∞ where a query does not see a key",
  },
  pattern: {
    alias: "attn.hook_pattern",
    inBlock: true,
    onRequest: true,
    headAxis: 1,
    positionAxis: 2,
    holds: "[B, H, T, S] attention weights of T queries over S keys",
  },
  z: { alias: "attn.hook_z", inBlock: true, headAxis: 2, holds: "[B, T, H, D] values mixed by attention" },
  result: {
    alias: "attn.hook_result",
    inBlock: true,
    onRequest: true,
    headAxis: 2,
    holds:
      "[B, T, H, d] what each head gives the output projection's sum: its z times its part of W_O, without the bias",
  },
  A_before_norm: {
    inBlock: true,
    postNorm: true,
    holds: "[B, T, d] output of the attention's output projection, before it is normalised",
  },
  A: { alias: "hook_attn_out", inBlock: true, holds: "[B, T, d] attention state, as added to the residual stream" },
  resid_mid: { alias: "hook_resid_mid", inBlock: true, holds: "[B, T, d] residual stream between attention and MLP" },
  ln2_scale: {
    alias: "ln2.hook_scale",
    inBlock: true,
    onRequest: true,
    holds: "[B, T, 1] what the norm before the MLP divides by",
  },
  ln2: {
    alias: "ln2.hook_normalized",
    inBlock: true,
    onRequest: true,
    holds: "[B, T, d] residual stream normalised for the MLP, before the norm's weight",
  },
  gate: { alias: "mlp.hook_pre", inBlock: true, holds: "[B, T, n] gate, before its activation function" },
  up: { alias: "mlp.hook_pre_linear", inBlock: true, holds: "[B, T, n] factor of the gate: m = silu(gate) ⊙ up" },
  m: { alias: "mlp.hook_post", inBlock: true, holds: "[B, T, n] MLP coefficients: input of the down projection" },
  W_V: { inBlock: true, parameter: true, holds: "[d, n] value vectors, as columns: the down projection's weight" },
  M_before_norm: {
    inBlock: true,
    postNorm: true,
    holds: "[B, T, d] MLP output m·W_V, before it is normalised",
  },
  M: { alias: "hook_mlp_out", inBlock: true, holds: "[B, T, d] MLP output, as added to the residual stream: m·W_V" },
  resid_post: { alias: "hook_resid_post", inBlock: true, holds: "[B, T, d] residual stream leaving the block" },
  ln_final_scale: {
    alias: "ln_final.hook_scale",
    inBlock: false,
    inRows: true,
    onRequest: true,
    holds: "[B, T, 1] what the final norm divides by, or [R, 1]",
  },
  ln_final: {
    alias: "ln_final.hook_normalized",
    inBlock: false,
    inRows: true,
    onRequest: true,
    holds: "[B, T, d] residual stream normalised for the unembedding, before the norm's weight",
  },
  logits: { inBlock: false, inRows: true, holds: "[B, T, V] logits, or [R, V] where only R rows were asked for" },
} satisfies Record<string, SiteDescription>;

/** Names of the sites. They are the paper's where the paper has one. */
export type Site = keyof typeof table;

/** Every site, in the order of the forward pass. */
export const sites: Readonly<Record<Site, SiteDescription>> = table;

/** Names of all sites, in the order of the forward pass. */
export const siteNames = Object.keys(table) as readonly Site[];

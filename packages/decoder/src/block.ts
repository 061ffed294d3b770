import type { Site } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import { type Attention, attentionState } from "./attention.ts";
import { type GatedMlp, mlpOutput } from "./gated-mlp.ts";
import type { Pass } from "./pass.ts";

/** One block: its two sub-layers. */
export interface Block {
  readonly attention: Attention;
  readonly mlp: GatedMlp;
}

/** What of a block is a family's own: what normalises where, and how far queries, keys and values may go. */
export interface BlockStyle {
  readonly attention: Pick<Attention, "normBefore" | "normAfter" | "normQuery" | "normKey" | "clip">;
  readonly mlp: Pick<GatedMlp, "normBefore" | "normAfter">;
}

/** Sites in a block that a style does not come to. */
export function absentSites({ attention, mlp }: BlockStyle): Site[] {
  const norms = {
    ln1: attention.normBefore,
    A_before_norm: attention.normAfter,
    ln2: mlp.normBefore,
    M_before_norm: mlp.normAfter,
  };
  return (Object.keys(norms) as (keyof typeof norms)[]).filter((site) => !norms[site]);
}

/** Runs one block, from the residual stream `[B, T, d]` that enters it to the one that leaves it. */
export function runBlock(pass: Pass, layer: number, entering: F32, { attention, mlp }: Block): F32 {
  const { ops, hooks } = pass;
  const x = hooks.at("resid_pre", layer, entering);
  const A = attentionState(pass, layer, x, attention);
  const mid = hooks.at("resid_mid", layer, ops.add(x, A));
  const M = mlpOutput(pass, layer, mid, mlp);
  return hooks.at("resid_post", layer, ops.add(mid, M));
}

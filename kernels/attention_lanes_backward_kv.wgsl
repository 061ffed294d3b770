// Gradients of causal attention with respect to its keys and values, beside `attention_lanes`. With P recomputed from
// log_sum_exp, dP = dO Vᵀ, δ = rowsum(dO ∘ O) and dS = P ∘ (dP − δ): dV = Pᵀ dO, dK = scale · dSᵀ Q, summed over the query heads
// that share a key head, in order (Dao et al. 2022). Keys left of the start or beyond `length` get zeros.
// A workgroup is one subgroup and takes LANES keys of one key head, a lane one key; queries are broadcast eight at a time.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k, out_v [B, C, G, D]; starts [B];
// rows [B, H, T], log_sum_exp in base 2 and δ (`attention_delta`).
enable subgroups;
const MOST = 8u; // heads of at most 32 numbers
//! include lib/attention_lanes_backward_kv.wgsl

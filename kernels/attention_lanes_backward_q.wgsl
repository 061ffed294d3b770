// Gradient of causal attention with respect to its queries, beside `attention_lanes`. With P recomputed from log_sum_exp,
// dP = dO Vᵀ and δ = rowsum(dO ∘ O): dS = P ∘ (dP − δ), dQ = scale · dS K (Dao et al. 2022).
// A workgroup is one subgroup and takes LANES queries of one head, a lane one query; keys are broadcast eight at a time.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B]; rows [B, H, T],
// log_sum_exp in base 2 and δ (`attention_delta`).
enable subgroups;
const MOST = 8u; // heads of at most 32 numbers
//! include lib/attention_lanes_backward_q.wgsl

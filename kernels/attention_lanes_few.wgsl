// Causal softmax attention for few queries, out = softmax(scale · q Kᵀ) V, for subgroups of 4 or 8 lanes. With P = length − T + t
// the place of query t among the keys, it sees keys start … P; a query left of its start gives zeros.
// A workgroup is one subgroup and takes one query of one head; a lane has every LANES-th key, with a running maximum and D sums
// of its own, which are joined at the end. No barriers, which are dear on software adapters.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 left of the start.
enable subgroups;
const MOST = 8u; // heads of at most 32 numbers
//! include lib/attention_lanes_few.wgsl

// Causal softmax attention, out = softmax(scale · Q Kᵀ) V, for subgroups of 4 or 8 lanes. Scores live in registers only
// (online softmax: Milakov & Gimelshein 2018; Dao et al. 2022). With P = length − T + t the place of query t among the keys,
// it sees keys start … P; a query left of its start gives zeros.
// A workgroup is one subgroup and takes LANES queries of one head. A lane has one query: its q, its running maximum and sum and
// its D sums. Eight keys at a time are read, one or two a lane, and broadcast.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 left of the start.
enable subgroups;
const MOST = 8u; // heads of at most 32 numbers
//! include lib/attention_lanes_forward.wgsl

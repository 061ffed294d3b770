// What the gradient kernels of attention share. With P = exp(scale · Q Kᵀ − log_sum_exp) computed again, dP = dO Vᵀ and
// δ = rowsum(dO ∘ O), the gradient of the scores is dS = P ∘ (dP − δ) (Dao et al. 2022).
// Bindings 4 to 6: v [B, C, G, D]; gradient, dO [B, T, H, D]; rows [B, H, T], log_sum_exp in base 2 and δ (`attention_delta`).

//! include lib/attention.wgsl

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage> gradient: array<vec4f>;
@group(0) @binding(6) var<storage> rows: array<vec2f>;

// P of four pairs from their scores in base 2. A masked score is replaced before the exponential, which could overflow.
fn weights_of(scores: vec4f, log_sum: vec4f, seen: vec4<bool>) -> vec4f {
  return select(vec4f(), exp2(select(vec4f(), scores - log_sum, seen)), seen);
}

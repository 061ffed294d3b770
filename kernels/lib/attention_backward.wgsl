// What the gradient kernels of attention share. With P = exp(scale · Q Kᵀ − log_sum_exp) computed again, dP = dO Vᵀ and
// δ = rowsum(dO ∘ O), the gradient of the scores is dS = P ∘ (dP − δ) (Dao et al. 2022).
// δ is rounded as O is. Where nearly all the weight is on one key, dP − δ is no more than that error, so the rows of dS must be made to
// sum to 0 again: dS = P ∘ ((dP − δ) − rest), rest = Σ P (dP − δ) / Σ P. The kernel of the queries' gradient finds the rest, before the
// other reads it. Both must compute dP − δ by the same steps, so that its errors cancel.
// Bindings 4 to 6: v [B, C, G, D]; gradient, dO [B, T, H, D]; rows [B, H, T], log_sum_exp in base 2, δ (`attention_delta`) and rest.

//! include lib/attention.wgsl
//! include lib/nan.wgsl

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage> gradient: array<vec4f>;
struct QueryRow { log_sum: f32, delta: f32, rest: f32 }

@group(0) @binding(6) var<storage, read_write> rows: array<QueryRow>;

// P of four pairs from their scores in base 2. A masked score is replaced before the exponential, which could overflow.
fn weights_of(scores: vec4f, log_sum: vec4f, seen: vec4<bool>) -> vec4f {
  return select(vec4f(), exp2(select(vec4f(), scores - log_sum, seen)), seen);
}

// The kernels multiply by weights of 0 too, for keys that a query does not see, so a NaN or an infinity there makes a gradient NaN. They
// compute a gradient that is not finite again with the two functions below, which read only pairs that see each other and keep every NaN.

// P and dS of the query and the key that begin at these places in q and k, given the query's `row`.
fn careful_pair(query_at: u32, key_at: u32, row: QueryRow) -> vec2f {
  var score = 0.0;
  var slope = 0.0;
  for (var d = 0u; d < params.vectors; d++) {
    score += dot(q[query_at + d] * (params.scale * LOG2E), k[key_at + d]);
    slope += dot(gradient[query_at + d], v[key_at + d]);
  }
  let weight = keep_nan(exp2(score - row.log_sum), score - row.log_sum);
  return vec2f(weight, weight * (slope - row.delta - row.rest));
}

// Vector d of a query's gradient, from the keys first … end − 1 that it sees.
fn careful_query(query_at: u32, keys_at: u32, first: u32, end: u32, row: QueryRow, d: u32) -> vec4f {
  let stride = params.groups * params.vectors;
  var sum = vec4f();
  for (var j = first; j < end; j++) {
    sum += careful_pair(query_at, keys_at + j * stride, row).y * k[keys_at + j * stride + d];
  }
  return sum * params.scale;
}

// Vector d of the gradients of key j of key head `group` in sequence b, and of its value.
struct KeyValue { key: vec4f, value: vec4f }

fn careful_key(b: u32, group: u32, j: u32, d: u32) -> KeyValue {
  let key_at = ((b * params.capacity + j) * params.groups + group) * params.vectors;
  let share = params.heads / params.groups;
  var sums = KeyValue();
  for (var h = group * share; h < (group + 1u) * share; h++) {
    for (var t = first_query(j, 1u, first_key(b)); t < params.queries; t++) {
      let query_at = ((b * params.queries + t) * params.heads + h) * params.vectors;
      let pair = careful_pair(query_at, key_at, rows[(b * params.heads + h) * params.queries + t]);
      sums.value += pair.x * gradient[query_at + d];
      sums.key += pair.y * q[query_at + d];
    }
  }
  return KeyValue(sums.key * params.scale, sums.value);
}

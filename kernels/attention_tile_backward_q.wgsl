// Gradient of causal attention with respect to its queries, beside `attention_tile`. With P recomputed from log_sum_exp,
// dP = dO Vᵀ and δ = rowsum(dO ∘ O): dS = P ∘ (dP − δ), dQ = scale · dS K (Dao et al. 2022).
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B]; rows [B, H, T],
// log_sum_exp in base 2 and δ (`attention_delta`).
//! include lib/attention.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage> gradient: array<vec4f>;
@group(0) @binding(6) var<storage> rows: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

// Pair 0 gives the scores, pair 1 their slopes dP.
fn own_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return q[at]; }
  return gradient[at];
}
fn other_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return k[at]; }
  return v[at];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.queries + ROWS - 1u) / ROWS;
  let row = id / tiles;
  if (row >= params.batch * params.heads) { return; }
  let b = row / params.heads;
  let h = row % params.heads;
  let first = (id % tiles) * ROWS;
  let past = params.length - params.queries;
  let end = past + min(first + ROWS, params.queries);
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }
  let x = thread % 16u;
  let y = thread / 16u;
  let last = params.queries - 1u;
  let own = Rows((b * params.queries * params.heads + h) * params.vectors, params.heads * params.vectors, first, last);
  let keys_at = (b * params.capacity * params.groups + h / (params.heads / params.groups)) * params.vectors;
  let stride = params.groups * params.vectors;

  let queries = vec4u(first + y) + vec4u(0u, 8u, 16u, 24u);
  var log_sums: vec4f;
  var deltas: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let sums_of_row = rows[row * params.queries + min(queries[i], last)];
    log_sums[i] = sums_of_row.x;
    deltas[i] = sums_of_row.y;
  }
  var sums = array<vec4f, 16>(); // vector n of own row i at 4 n + i
  for (var j = start; j < end; j += ROWS) {
    let other = Rows(keys_at, stride, j, end - 1u);
    // One call in a loop: compilers inline it, and two copies take long to compile.
    var scores: Products;
    var slopes: Products;
    for (var pair = 0u; pair < 2u; pair++) {
      scores = slopes;
      slopes = products(pair, own, other, thread);
    }
    set_weights(thread, Products(
      slope(scores.a, slopes.a, log_sums, deltas, (vec4u(j + x) <= queries + past) & vec4<bool>(j + x < end)),
      slope(scores.b, slopes.b, log_sums, deltas, (vec4u(j + x + 16u) <= queries + past) & vec4<bool>(j + x + 16u < end))));
    workgroupBarrier();
    let count = min(ROWS, end - j);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        for (var c = 0u; c < count; c++) {
          let key = k[keys_at + (j + c) * stride + column];
          let weight = weights[y * WEIGHT_PITCH + c];
          for (var i = 0u; i < 4u; i++) { sums[4u * n + i] += weight[i] * key; }
        }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    if (queries[i] >= params.queries) { continue; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) { out[own.at + queries[i] * own.stride + column] = sums[4u * n + i] * params.scale; }
    }
  }
}

// dS of four pairs. A masked score is replaced before the exponential, which could overflow.
fn slope(score: vec4f, slope: vec4f, log_sum: vec4f, delta: vec4f, seen: vec4<bool>) -> vec4f {
  let weight = exp2(select(vec4f(), score * (params.scale * LOG2E) - log_sum, seen));
  return select(vec4f(), weight * (slope - delta), seen);
}

// Gradients of causal attention with respect to its keys and values, beside `attention_tile`. With P recomputed from
// log_sum_exp, dP = dO Vᵀ, δ = rowsum(dO ∘ O) and dS = P ∘ (dP − δ): dV = Pᵀ dO, dK = scale · dSᵀ Q, summed over the query heads
// that share a key head, in order (Dao et al. 2022). Keys left of the start or beyond `length` get zeros.
// A workgroup takes 32 keys of one key head against 32 queries at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k, out_v [B, C, G, D]; starts [B];
// rows [B, H, T], log_sum_exp in base 2 and δ (`attention_delta`).
//! include lib/attention.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage> gradient: array<vec4f>;
@group(0) @binding(6) var<storage> rows: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> out_k: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out_v: array<vec4f>;

// Pair 0 gives the scores, pair 1 their slopes dP.
fn own_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return k[at]; }
  return v[at];
}
fn other_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return q[at]; }
  return gradient[at];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.capacity + ROWS - 1u) / ROWS;
  let row = id / tiles;
  if (row >= params.batch * params.groups) { return; }
  let b = row / params.groups;
  let g = row % params.groups;
  let first = (id % tiles) * ROWS;
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }
  let x = thread % 16u;
  let y = thread / 16u;
  let keys_at = (b * params.capacity * params.groups + g) * params.vectors;
  let own = Rows(keys_at, params.groups * params.vectors, first, params.length - 1u);

  // The first query that sees any of these keys.
  let past = params.length - params.queries;
  var first_query = max(max(first, start), past) - past;
  if (first + ROWS <= start) { first_query = params.queries; }
  let last = params.queries - 1u;
  let stride = params.heads * params.vectors;
  let share = params.heads / params.groups;

  let keys = vec4u(first + y) + vec4u(0u, 8u, 16u, 24u);
  let used = (keys >= vec4u(start)) & (keys < vec4u(params.length));
  var key_sums = array<vec4f, 16>(); // vector n of own row i at 4 n + i
  var value_sums = array<vec4f, 16>();
  for (var h = g * share; h < (g + 1u) * share; h++) {
    let queries_at = (b * params.queries * params.heads + h) * params.vectors;
    let rows_at = (b * params.heads + h) * params.queries;
    for (var t = first_query; t < params.queries; t += ROWS) {
      let other = Rows(queries_at, stride, t, last);
      // One call in a loop: compilers inline it, and two copies take long to compile.
      var scores: Products;
      var slopes: Products;
      for (var pair = 0u; pair < 2u; pair++) {
        scores = slopes;
        slopes = products(pair, own, other, thread);
      }
      let row_a = rows[rows_at + min(t + x, last)];
      let row_b = rows[rows_at + min(t + x + 16u, last)];
      let sees_a = used & (keys <= vec4u(past + t + x)) & vec4<bool>(t + x <= last);
      let sees_b = used & (keys <= vec4u(past + t + x + 16u)) & vec4<bool>(t + x + 16u <= last);
      let seen = Products(weight(scores.a, row_a.x, sees_a), weight(scores.b, row_b.x, sees_b));
      slopes.a = select(vec4f(), seen.a * (slopes.a - row_a.y), sees_a);
      slopes.b = select(vec4f(), seen.b * (slopes.b - row_b.y), sees_b);
      let count = min(ROWS, params.queries - t);
      set_weights(thread, seen);
      workgroupBarrier();
      for (var n = 0u; n < COLUMNS; n++) {
        let column = x + 16u * n;
        if (column < params.vectors) {
          for (var c = 0u; c < count; c++) {
            let vector = gradient[queries_at + (t + c) * stride + column];
            let share_of = weights[y * WEIGHT_PITCH + c];
            for (var i = 0u; i < 4u; i++) { value_sums[4u * n + i] += share_of[i] * vector; }
          }
        }
      }
      workgroupBarrier();
      set_weights(thread, slopes);
      workgroupBarrier();
      for (var n = 0u; n < COLUMNS; n++) {
        let column = x + 16u * n;
        if (column < params.vectors) {
          for (var c = 0u; c < count; c++) {
            let vector = q[queries_at + (t + c) * stride + column];
            let share_of = weights[y * WEIGHT_PITCH + c];
            for (var i = 0u; i < 4u; i++) { key_sums[4u * n + i] += share_of[i] * vector; }
          }
        }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    if (keys[i] >= params.capacity) { continue; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        out_k[keys_at + keys[i] * own.stride + column] = key_sums[4u * n + i] * params.scale;
        out_v[keys_at + keys[i] * own.stride + column] = value_sums[4u * n + i];
      }
    }
  }
}

// P of four pairs. A masked score is replaced before the exponential, which could overflow.
fn weight(score: vec4f, log_sum: f32, sees: vec4<bool>) -> vec4f {
  return select(vec4f(), exp2(select(vec4f(), score * (params.scale * LOG2E) - log_sum, sees)), sees);
}

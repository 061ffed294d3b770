// Gradients of causal attention with respect to its keys and values, beside `attention_tile`. With P recomputed from
// log_sum_exp, dP = dO Vᵀ, δ = rowsum(dO ∘ O) and dS = P ∘ (dP − δ): dV = Pᵀ dO, dK = scale · dSᵀ Q, summed over the query heads
// that share a key head, in order (Dao et al. 2022). Keys left of the start or beyond `length` get zeros.
// A workgroup takes 32 keys of one key head against 32 queries at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k, out_v [B, C, G, D]; starts [B];
// rows [B, H, T], log_sum_exp in base 2 and δ (`attention_delta`).
//! include lib/attention.wgsl
//! include lib/attention_tile.wgsl

override VECTORS: u32 = 16u; // D/4, at most 64

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
  let keys_at = (b * params.capacity * params.groups + g) * VECTORS;
  let own = Rows(keys_at, params.groups * VECTORS, first, params.length - 1u);

  // The first query that sees any of these keys.
  let past = params.length - params.queries;
  var first_query = max(max(first, start), past) - past;
  if (first + ROWS <= start) { first_query = params.queries; }
  let last = params.queries - 1u;
  let stride = params.heads * VECTORS;
  let share = params.heads / params.groups;

  var key_sums = array<vec4f, 16>(); // vector n of own row i at 4 i + n
  var value_sums = array<vec4f, 16>();
  for (var h = g * share; h < (g + 1u) * share; h++) {
    let queries_at = (b * params.queries * params.heads + h) * VECTORS;
    for (var t = first_query; t < params.queries; t += ROWS) {
      let other = Rows(queries_at, stride, t, last);
      var scores = products(0u, own, other, thread);
      var slopes = products(1u, own, other, thread);
      let queries = vec2u(t + x, t + x + 16u);
      let rows_at = (b * params.heads + h) * params.queries;
      let row_a = rows[rows_at + min(queries.x, last)];
      let row_b = rows[rows_at + min(queries.y, last)];
      for (var i = 0u; i < 4u; i++) {
        let j = first + y + 8u * i;
        let used = j >= start && j < params.length;
        let sees = (vec2u(j) <= queries + vec2u(past)) & (queries <= vec2u(last)) & vec2<bool>(used);
        // A masked score is replaced before the exponential, which could overflow.
        let score = select(vec2f(), scores[i] * (params.scale * LOG2E) - vec2f(row_a.x, row_b.x), sees);
        scores[i] = select(vec2f(), exp2(score), sees);
        slopes[i] = select(vec2f(), scores[i] * (slopes[i] - vec2f(row_a.y, row_b.y)), sees);
        set_weights(thread, i, scores[i]);
      }
      workgroupBarrier();
      let count = min(ROWS, params.queries - t);
      for (var n = 0u; n < COLUMNS; n++) {
        let column = x + 16u * n;
        if (column < VECTORS) {
          for (var c = 0u; c < count; c++) {
            let vector = gradient[queries_at + (t + c) * stride + column];
            for (var i = 0u; i < 4u; i++) { value_sums[4u * i + n] += weights[(y + 8u * i) * ROW_PITCH + c] * vector; }
          }
        }
      }
      workgroupBarrier();
      for (var i = 0u; i < 4u; i++) { set_weights(thread, i, slopes[i]); }
      workgroupBarrier();
      for (var n = 0u; n < COLUMNS; n++) {
        let column = x + 16u * n;
        if (column < VECTORS) {
          for (var c = 0u; c < count; c++) {
            let vector = q[queries_at + (t + c) * stride + column];
            for (var i = 0u; i < 4u; i++) { key_sums[4u * i + n] += weights[(y + 8u * i) * ROW_PITCH + c] * vector; }
          }
        }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let j = first + y + 8u * i;
    if (j >= params.capacity) { continue; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < VECTORS) {
        out_k[keys_at + j * own.stride + column] = key_sums[4u * i + n] * params.scale;
        out_v[keys_at + j * own.stride + column] = value_sums[4u * i + n];
      }
    }
  }
}

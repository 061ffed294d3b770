// Gradient of causal attention with respect to its queries, beside `attention_tile`. With P recomputed from log_sum_exp,
// dP = dO Vᵀ and δ = rowsum(dO ∘ O): dS = P ∘ (dP − δ), dQ = scale · dS K (Dao et al. 2022).
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B]; rows [B, H, T],
// log_sum_exp in base 2 and δ (`attention_delta`).
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
  let own = Rows((b * params.queries * params.heads + h) * VECTORS, params.heads * VECTORS, first, last);
  let keys_at = (b * params.capacity * params.groups + h / (params.heads / params.groups)) * VECTORS;
  let stride = params.groups * VECTORS;

  var sums = array<vec4f, 16>(); // vector n of own row i at 4 i + n
  for (var j = start; j < end; j += ROWS) {
    let other = Rows(keys_at, stride, j, end - 1u);
    let scores = products(0u, own, other, thread);
    let slopes = products(1u, own, other, thread);
    let keys = vec2u(j + x, j + x + 16u);
    for (var i = 0u; i < 4u; i++) {
      let t = first + y + 8u * i;
      let sums_of_row = rows[row * params.queries + min(t, last)];
      let seen = (keys <= vec2u(past + t)) & (keys < vec2u(end));
      // A masked score is replaced before the exponential, which could overflow.
      let weight = exp2(select(vec2f(), scores[i] * (params.scale * LOG2E) - sums_of_row.x, seen));
      set_weights(thread, i, select(vec2f(), weight * (slopes[i] - sums_of_row.y), seen));
    }
    workgroupBarrier();
    let count = min(ROWS, end - j);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < VECTORS) {
        for (var c = 0u; c < count; c++) {
          let key = k[keys_at + (j + c) * stride + column];
          for (var i = 0u; i < 4u; i++) { sums[4u * i + n] += weights[(y + 8u * i) * ROW_PITCH + c] * key; }
        }
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let t = first + y + 8u * i;
    if (t >= params.queries) { continue; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < VECTORS) { out[own.at + t * own.stride + column] = sums[4u * i + n] * params.scale; }
    }
  }
}

// Body of `attention_lanes_backward_kv`, which says what it computes, and of its wide variant. MOST is the room for a row, in vectors.
//! include lib/attention.wgsl
//! include lib/attention_lanes.wgsl

override LANES: u32 = 8u; // lanes of a subgroup, 4 or 8

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage> gradient: array<vec4f>;
@group(0) @binding(6) var<storage> rows: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> out_k: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out_v: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.capacity + LANES - 1u) / LANES;
  let row = id / tiles;
  if (row >= params.batch * params.groups) { return; }
  let b = row / params.groups;
  let g = row % params.groups;
  let first = (id % tiles) * LANES;
  let j = first + lane;
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }

  // Lanes whose key is not in use repeat the last one and take nothing from it.
  let used = j >= start && j < params.length;
  let key_at = ((b * params.capacity + min(j, params.length - 1u)) * params.groups + g) * params.vectors;
  var key: array<vec4f, MOST>;
  var value: array<vec4f, MOST>;
  var key_sums: array<vec4f, MOST>;
  var value_sums: array<vec4f, MOST>;
  for (var d = 0u; d < params.vectors; d++) {
    key[d] = k[key_at + d] * (params.scale * LOG2E);
    value[d] = v[key_at + d];
    key_sums[d] = vec4f();
    value_sums[d] = vec4f();
  }
  // The first query that sees any of these keys.
  let past = params.length - params.queries;
  var first_query = max(max(first, start), past) - past;
  if (first + LANES <= start) { first_query = params.queries; }
  let stride = params.heads * params.vectors;
  let last = params.queries - 1u;
  let share = params.heads / params.groups;
  for (var h = g * share; h < (g + 1u) * share; h++) {
    let queries_at = b * params.queries * stride + h * params.vectors;
    let rows_at = (b * params.heads + h) * params.queries;
    for (var t = first_query; t < params.queries; t += 8u) {
      let a = min(t + lane, last);
      let c = min(t + 4u + lane, last);
      let a_at = queries_at + a * stride;
      let b_at = queries_at + c * stride;
      var low = vec4f();
      var high = vec4f();
      let row_a = rows[rows_at + a];
      let row_b = rows[rows_at + c];
      var low_slope = -spread_low(row_a.y);
      var high_slope = -spread_high(row_a.y, row_b.y);
      for (var d = 0u; d < params.vectors; d++) {
        low += dots_low(key[d], q[a_at + d]);
        high += dots_high(key[d], q[a_at + d], q[b_at + d]);
        low_slope += dots_low(value[d], gradient[a_at + d]);
        high_slope += dots_high(value[d], gradient[a_at + d], gradient[b_at + d]);
      }
      let queries = vec4u(t, t + 1u, t + 2u, t + 3u);
      let low_sees = (queries + vec4u(past) >= vec4u(j)) & (queries <= vec4u(last)) & vec4<bool>(used);
      let high_sees = (queries + vec4u(past + 4u) >= vec4u(j)) & (queries + vec4u(4u) <= vec4u(last)) & vec4<bool>(used);
      // A masked score is replaced before the exponential, which could overflow.
      low = select(vec4f(), exp2(select(vec4f(), low - spread_low(row_a.x), low_sees)), low_sees);
      high = select(vec4f(), exp2(select(vec4f(), high - spread_high(row_a.x, row_b.x), high_sees)), high_sees);
      low_slope = select(vec4f(), low * low_slope, low_sees);
      high_slope = select(vec4f(), high * high_slope, high_sees);
      for (var d = 0u; d < params.vectors; d++) {
        value_sums[d] += mix_low(low, gradient[a_at + d]) + mix_high(high, gradient[a_at + d], gradient[b_at + d]);
        key_sums[d] += mix_low(low_slope, q[a_at + d]) + mix_high(high_slope, q[a_at + d], q[b_at + d]);
      }
    }
  }
  if (j >= params.capacity) { return; }
  let out_at = ((b * params.capacity + j) * params.groups + g) * params.vectors;
  for (var d = 0u; d < params.vectors; d++) {
    out_k[out_at + d] = key_sums[d] * params.scale;
    out_v[out_at + d] = value_sums[d];
  }
}

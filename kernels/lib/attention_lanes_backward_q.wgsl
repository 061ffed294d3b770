// Body of `attention_lanes_backward_q`, which says what it computes, and of its wide variant. MOST is the room for a row, in vectors.
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
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let id = group.x + group.y * groups.x;
  let tiles = (params.queries + LANES - 1u) / LANES;
  let row = id / tiles;
  if (row >= params.batch * params.heads) { return; }
  let b = row / params.heads;
  let h = row % params.heads;
  let first = (id % tiles) * LANES;
  // Lanes past the last query repeat it and write nothing.
  let t = min(first + lane, params.queries - 1u);
  let place = params.length - params.queries + t;
  let end = params.length - params.queries + min(first + LANES, params.queries);
  var start = 0u;
  if (params.padded != 0u) { start = starts[b]; }

  let query_at = ((b * params.queries + t) * params.heads + h) * params.vectors;
  let stride = params.groups * params.vectors;
  let keys_at = b * params.capacity * stride + h / (params.heads / params.groups) * params.vectors;
  let log_sum = rows[row * params.queries + t].x;
  let delta = rows[row * params.queries + t].y;
  var query: array<vec4f, MOST>;
  var slope: array<vec4f, MOST>;
  var sums: array<vec4f, MOST>;
  for (var d = 0u; d < params.vectors; d++) {
    query[d] = q[query_at + d] * (params.scale * LOG2E);
    slope[d] = gradient[query_at + d];
    sums[d] = vec4f();
  }
  for (var j = start; j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    var low = vec4f();
    var high = vec4f();
    var low_slope = vec4f(-delta);
    var high_slope = vec4f(-delta);
    for (var d = 0u; d < params.vectors; d++) {
      low += dots_low(query[d], k[a_at + d]);
      high += dots_high(query[d], k[a_at + d], k[b_at + d]);
      low_slope += dots_low(slope[d], v[a_at + d]);
      high_slope += dots_high(slope[d], v[a_at + d], v[b_at + d]);
    }
    let keys = vec4u(j, j + 1u, j + 2u, j + 3u);
    // A masked score is replaced before the exponential, which could overflow.
    let low_seen = keys <= vec4u(place);
    let high_seen = keys + vec4u(4u) <= vec4u(place);
    low = select(vec4f(), exp2(select(vec4f(), low - log_sum, low_seen)) * low_slope, low_seen);
    high = select(vec4f(), exp2(select(vec4f(), high - log_sum, high_seen)) * high_slope, high_seen);
    for (var d = 0u; d < params.vectors; d++) {
      sums[d] += mix_low(low, k[a_at + d]) + mix_high(high, k[a_at + d], k[b_at + d]);
    }
  }
  if (first + lane >= params.queries) { return; }
  for (var d = 0u; d < params.vectors; d++) { out[query_at + d] = sums[d] * params.scale; }
}

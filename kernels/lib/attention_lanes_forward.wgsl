// Body of `attention_lanes`, which says what it computes, and of its wide variant. MOST is the room for a row, in vectors.
//! include lib/attention.wgsl
//! include lib/attention_lanes.wgsl

override LANES: u32 = 8u; // lanes of a subgroup, 4 or 8

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec4f>;
@group(0) @binding(2) var<storage> k: array<vec4f>;
@group(0) @binding(3) var<storage> v: array<vec4f>;
@group(0) @binding(4) var<storage> starts: array<u32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

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
  var query: array<vec4f, MOST>;
  var sums: array<vec4f, MOST>;
  for (var d = 0u; d < params.vectors; d++) {
    query[d] = q[query_at + d] * (params.scale * LOG2E);
    sums[d] = vec4f();
  }
  var top = LOWEST;
  var total = 0.0;
  for (var j = start; j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    var low = vec4f();
    var high = vec4f();
    for (var d = 0u; d < params.vectors; d++) {
      low += dots_low(query[d], k[a_at + d]);
      high += dots_high(query[d], k[a_at + d], k[b_at + d]);
    }
    let keys = vec4u(j, j + 1u, j + 2u, j + 3u);
    let low_seen = keys <= vec4u(place);
    let high_seen = keys + vec4u(4u) <= vec4u(place);
    low = select(vec4f(LOWEST), low, low_seen);
    high = select(vec4f(LOWEST), high, high_seen);
    let both = max(low, high);
    let new_top = max(top, max(max(both.x, both.y), max(both.z, both.w)));
    let shrink = exp2(top - new_top);
    low = select(vec4f(), exp2(low - new_top), low_seen);
    high = select(vec4f(), exp2(high - new_top), high_seen);
    top = new_top;
    total = total * shrink + dot(low + high, vec4f(1.0));
    for (var d = 0u; d < params.vectors; d++) {
      sums[d] = sums[d] * shrink + mix_low(low, v[a_at + d]) + mix_high(high, v[a_at + d], v[b_at + d]);
    }
  }
  if (first + lane >= params.queries) { return; }
  let seen_any = total > 0.0;
  let factor = select(0.0, 1.0 / max(total, 1e-30), seen_any);
  for (var d = 0u; d < params.vectors; d++) { out[query_at + d] = sums[d] * factor; }
  log_sum_exp[row * params.queries + t] = select(0.0, (top + log2(max(total, 1e-30))) / LOG2E, seen_any);
}

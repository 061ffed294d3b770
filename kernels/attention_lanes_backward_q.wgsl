// Gradient of attention for its queries, beside `attention_lanes`: dQ = scale · dS K, with dS as in `lib/attention_backward.wgsl`.
// The rest is known at the end only, so P K is summed too: dS K = P ∘ (dP − δ) K − rest · P K.
// A workgroup is one subgroup and takes LANES queries of one head, a lane one query; keys are broadcast eight at a time.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3], of which the rest is written.
enable subgroups;
//! include lib/attention_backward.wgsl
//! include lib/attention_lanes.wgsl

@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, LANES);
  if (block.b >= params.batch) { return; }
  // Lanes past the last query repeat it and write nothing.
  let t = min(block.first + lane, params.queries - 1u);
  let last = last_key(t);
  let end = last_key(min(block.first + LANES, params.queries) - 1u) + 1u;

  let query_at = ((block.b * params.queries + t) * params.heads + block.head) * params.vectors;
  let stride = params.groups * params.vectors;
  let keys_at = block.b * params.capacity * stride + block.head / (params.heads / params.groups) * params.vectors;
  let row_at = block.line * params.queries + t;
  var row = rows[row_at];
  let log_sum = vec4f(row.log_sum);
  var query: array<vec4f, VECTORS>;
  var slope: array<vec4f, VECTORS>;
  var sums: array<vec4f, VECTORS>;
  var key_sums: array<vec4f, VECTORS>;
  var total = 0.0; // Σ P
  var along = 0.0; // Σ P (dP − δ)
  for (var d = 0u; d < vectors(); d++) {
    query[d] = q[query_at + d] * (params.scale * LOG2E);
    slope[d] = gradient[query_at + d];
    sums[d] = vec4f();
    key_sums[d] = vec4f();
  }
  for (var j = first_key(block.b); j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    var low = vec4f();
    var high = vec4f();
    var low_slope = vec4f(-row.delta);
    var high_slope = vec4f(-row.delta);
    for (var d = 0u; d < vectors(); d++) {
      low += dots_low(query[d], k[a_at + d]);
      high += dots_high(query[d], k[a_at + d], k[b_at + d]);
      low_slope += dots_low(slope[d], v[a_at + d]);
      high_slope += dots_high(slope[d], v[a_at + d], v[b_at + d]);
    }
    let keys = vec4u(j, j + 1u, j + 2u, j + 3u);
    let low_seen = keys <= vec4u(last);
    let high_seen = keys + vec4u(4u) <= vec4u(last);
    low = weights_of(low, log_sum, low_seen);
    high = weights_of(high, log_sum, high_seen);
    low_slope = select(vec4f(), low * low_slope, low_seen);
    high_slope = select(vec4f(), high * high_slope, high_seen);
    total += dot(low + high, vec4f(1.0));
    along += dot(low_slope + high_slope, vec4f(1.0));
    for (var d = 0u; d < vectors(); d++) {
      sums[d] += mix_low(low_slope, k[a_at + d]) + mix_high(high_slope, k[a_at + d], k[b_at + d]);
      key_sums[d] += mix_low(low, k[a_at + d]) + mix_high(high, k[a_at + d], k[b_at + d]);
    }
  }
  if (block.first + lane >= params.queries) { return; }
  row.rest = select(0.0, along / total, first_key(block.b) <= last);
  rows[row_at].rest = row.rest;
  var sound = true;
  for (var d = 0u; d < vectors(); d++) {
    let vector = (sums[d] - row.rest * key_sums[d]) * params.scale;
    sound = sound && are_finite(vector);
    out[query_at + d] = vector;
  }
  if (sound) { return; }
  for (var d = 0u; d < params.vectors; d++) {
    out[query_at + d] = careful_query(query_at, keys_at, first_key(block.b), last + 1u, row, d);
  }
}

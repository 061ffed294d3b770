// Softmax attention, out = softmax(scale · Q Kᵀ) V, for subgroups of 4 or 8 lanes. Scores live in registers only (online
// softmax: Milakov & Gimelshein 2018; Dao et al. 2022). `lib/attention.wgsl` says which keys a query sees; one that sees none gives zeros.
// A workgroup is one subgroup and takes LANES queries of one head. A lane has one query: its q, its running maximum and sum and
// its D sums. Eight keys at a time are read, one or two a lane, and broadcast.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 for no keys.
enable subgroups;
//! include lib/attention.wgsl
//! include lib/attention_careful.wgsl
//! include lib/attention_lanes.wgsl

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

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
  var query: array<vec4f, VECTORS>;
  var sums: array<vec4f, VECTORS>;
  for (var d = 0u; d < vectors(); d++) {
    query[d] = q[query_at + d] * (params.scale * LOG2E);
    sums[d] = vec4f();
  }
  var top = LOWEST;
  var total = 0.0;
  for (var j = first_key(block.b); j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    var low = vec4f();
    var high = vec4f();
    for (var d = 0u; d < vectors(); d++) {
      low += dots_low(query[d], k[a_at + d]);
      high += dots_high(query[d], k[a_at + d], k[b_at + d]);
    }
    let keys = vec4u(j, j + 1u, j + 2u, j + 3u);
    let low_seen = keys <= vec4u(last);
    let high_seen = keys + vec4u(4u) <= vec4u(last);
    low = select(vec4f(LOWEST), low, low_seen);
    high = select(vec4f(LOWEST), high, high_seen);
    let both = max(low, high);
    let new_top = max(top, max(max(both.x, both.y), max(both.z, both.w)));
    let shrink = exp2(top - new_top);
    low = select(vec4f(), exp2(low - new_top), low_seen);
    high = select(vec4f(), exp2(high - new_top), high_seen);
    top = new_top;
    total = total * shrink + dot(low + high, vec4f(1.0));
    for (var d = 0u; d < vectors(); d++) {
      sums[d] = sums[d] * shrink + mix_low(low, v[a_at + d]) + mix_high(high, v[a_at + d], v[b_at + d]);
    }
  }
  if (block.first + lane >= params.queries) { return; }
  let seen = Seen(query_at, keys_at, stride, first_key(block.b), last + 1u);
  let factor = select(0.0, 1.0 / total, seen.first < seen.end);
  var log_sum = select(0.0, (top + log2(total)) / LOG2E, seen.first < seen.end);
  var sound = is_finite(total);
  for (var d = 0u; d < vectors(); d++) {
    let vector = sums[d] * factor;
    sound = sound && are_finite(vector);
    out[query_at + d] = vector;
  }
  if (!sound) {
    log_sum = careful_log_sum(seen);
    for (var d = 0u; d < params.vectors; d++) { out[query_at + d] = careful_output(seen, log_sum, d); }
  }
  log_sum_exp[block.line * params.queries + t] = log_sum;
}

// Softmax attention for few queries, out = softmax(scale · Q Kᵀ) V, for subgroups of 4 or 8 lanes. `lib/attention.wgsl` says
// which keys a query sees; one that sees none gives zeros.
// A workgroup is one subgroup and takes one query of one head; a lane has every LANES-th key, with a running maximum and D sums
// of its own, which are joined at the end. There are no barriers, which are slow on software adapters.
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
  let row = group.x + group.y * groups.x;
  if (row >= params.batch * params.queries * params.heads) { return; }
  let h = row % params.heads;
  let t = row / params.heads % params.queries;
  let b = row / params.heads / params.queries;
  let end = last_key(t) + 1u;
  let stride = params.groups * params.vectors;
  let keys_at = b * params.capacity * stride + h / (params.heads / params.groups) * params.vectors;

  var query: array<vec4f, VECTORS>;
  var sums: array<vec4f, VECTORS>;
  for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
    query[d] = q[row * params.vectors + d] * (params.scale * LOG2E);
    sums[d] = vec4f();
  }
  var top = LOWEST;
  var total = 0.0;
  for (var j = first_key(b); j < end; j += LANES) {
    let sees = j + lane < end;
    let at = keys_at + min(j + lane, end - 1u) * stride;
    var score = 0.0;
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      score += dot(query[d], k[at + d]);
    }
    let new_top = max(top, select(LOWEST, score, sees));
    let shrink = exp2(top - new_top);
    let weight = select(0.0, exp2(score - new_top), sees);
    top = new_top;
    total = total * shrink + weight;
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      sums[d] = sums[d] * shrink + weight * v[at + d];
    }
  }

  let highest = subgroupMax(top);
  let share = exp2(top - highest);
  let whole = subgroupAdd(total * share);
  let seen = Seen(row * params.vectors, keys_at, stride, first_key(b), end);
  let factor = select(0.0, share / whole, seen.first < end);
  var log_sum = select(0.0, (highest + log2(whole)) / LOG2E, seen.first < end);
  var sound = is_finite(whole);
  for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
    let sum = subgroupAdd(sums[d] * factor);
    sound = sound && are_finite(sum);
    if (lane == 0u) { out[row * params.vectors + d] = sum; }
  }
  if (lane == 0u) {
    if (!sound) {
      log_sum = careful_log_sum(seen);
      for (var d = 0u; d < params.vectors; d++) { out[row * params.vectors + d] = careful_output(seen, log_sum, d); }
    }
    log_sum_exp[(b * params.heads + h) * params.queries + t] = log_sum;
  }
}

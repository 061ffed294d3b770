// Gradients of attention for its keys and values, beside `attention_lanes`: dV = Pᵀ dO and dK = scale · dSᵀ Q, with P and dS as in
// `lib/attention_backward.wgsl`, summed in order over the query heads that share a key head. A key that no query sees gets zeros.
// A workgroup is one subgroup and takes LANES keys of one key head, a lane one key; queries are broadcast eight at a time.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k (dK), out_v (dV) [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3].
enable subgroups;
//! include lib/attention_backward.wgsl
//! include lib/attention_lanes.wgsl

@group(0) @binding(7) var<storage, read_write> out_k: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out_v: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let block = block_of(group.x + group.y * groups.x, params.groups, params.capacity, LANES);
  if (block.b >= params.batch) { return; }
  let j = block.first + lane;
  let start = first_key(block.b);

  // Lanes whose key is not in use repeat the last one and take nothing from it.
  let used = vec4<bool>(j >= start && j < params.length);
  let keys_at = (block.b * params.capacity * params.groups + block.head) * params.vectors;
  let key_stride = params.groups * params.vectors;
  let key_at = keys_at + min(j, params.length - 1u) * key_stride;
  var key: array<vec4f, VECTORS>;
  var value: array<vec4f, VECTORS>;
  var key_sums: array<vec4f, VECTORS>;
  var value_sums: array<vec4f, VECTORS>;
  for (var d = 0u; d < vectors(); d++) {
    key[d] = k[key_at + d] * (params.scale * LOG2E);
    value[d] = v[key_at + d];
    key_sums[d] = vec4f();
    value_sums[d] = vec4f();
  }
  let stride = params.heads * params.vectors;
  let last = params.queries - 1u;
  let share = params.heads / params.groups;
  for (var h = block.head * share; h < (block.head + 1u) * share; h++) {
    let queries_at = block.b * params.queries * stride + h * params.vectors;
    let rows_at = (block.b * params.heads + h) * params.queries;
    for (var t = first_query(block.first, LANES, start); t < params.queries; t += 8u) {
      let a = min(t + lane, last);
      let c = min(t + 4u + lane, last);
      let a_at = queries_at + a * stride;
      let b_at = queries_at + c * stride;
      var low = vec4f();
      var high = vec4f();
      let row_a = rows[rows_at + a];
      let row_b = rows[rows_at + c];
      var low_slope = -spread_low(row_a.delta);
      var high_slope = -spread_high(row_a.delta, row_b.delta);
      for (var d = 0u; d < vectors(); d++) {
        low += dots_low(key[d], q[a_at + d]);
        high += dots_high(key[d], q[a_at + d], q[b_at + d]);
        low_slope += dots_low(value[d], gradient[a_at + d]);
        high_slope += dots_high(value[d], gradient[a_at + d], gradient[b_at + d]);
      }
      let queries = vec4u(t, t + 1u, t + 2u, t + 3u);
      let low_sees = (last_keys(queries) >= vec4u(j)) & (queries <= vec4u(last)) & used;
      let high_sees = (last_keys(queries + vec4u(4u)) >= vec4u(j)) & (queries + vec4u(4u) <= vec4u(last)) & used;
      low = weights_of(low, spread_low(row_a.log_sum), low_sees);
      high = weights_of(high, spread_high(row_a.log_sum, row_b.log_sum), high_sees);
      low_slope = select(vec4f(), low * (low_slope - spread_low(row_a.rest)), low_sees);
      high_slope = select(vec4f(), high * (high_slope - spread_high(row_a.rest, row_b.rest)), high_sees);
      for (var d = 0u; d < vectors(); d++) {
        value_sums[d] += mix_low(low, gradient[a_at + d]) + mix_high(high, gradient[a_at + d], gradient[b_at + d]);
        key_sums[d] += mix_low(low_slope, q[a_at + d]) + mix_high(high_slope, q[a_at + d], q[b_at + d]);
      }
    }
  }
  if (j >= params.capacity) { return; }
  var sound = true;
  for (var d = 0u; d < vectors(); d++) {
    let vector = key_sums[d] * params.scale;
    sound = sound && are_finite(vector) && are_finite(value_sums[d]);
    out_k[keys_at + j * key_stride + d] = vector;
    out_v[keys_at + j * key_stride + d] = value_sums[d];
  }
  if (sound) { return; }
  for (var d = 0u; d < params.vectors; d++) {
    let vectors = careful_key(block.b, block.head, j, d);
    out_k[keys_at + j * key_stride + d] = vectors.key;
    out_v[keys_at + j * key_stride + d] = vectors.value;
  }
}

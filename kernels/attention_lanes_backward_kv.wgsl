// Gradients of attention for its keys and values, beside `attention_lanes`: dV = Pᵀ dO and dK = scale · dSᵀ Q, with P and dS as in
// `lib/attention_backward.wgsl`, summed in order over the query heads that share a key head. A key that no query sees gets zeros.
// A workgroup is one subgroup and takes OWN · LANES keys of one key head, a lane every LANES-th of them; queries go around eight at a time.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k (dK), out_v (dV) [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3].
enable subgroups;
//! include lib/attention_backward.wgsl
//! include lib/attention_lanes.wgsl

@group(0) @binding(7) var<storage, read_write> out_k: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out_v: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let block = block_of(group.x + group.y * groups.x, params.groups, params.capacity, OWN * LANES);
  if (block.b >= params.batch) { return; }
  let first = block.first + lane; // further keys of a lane are LANES apart
  let start = first_key(block.b);

  let keys_at = (block.b * params.capacity * params.groups + block.head) * params.vectors;
  let key_stride = params.groups * params.vectors;
  var key: array<vec4f, OWN * VECTORS>;
  var value: array<vec4f, OWN * VECTORS>;
  var key_sums: array<vec4f, OWN * VECTORS>;
  var value_sums: array<vec4f, OWN * VECTORS>;
  var low: array<vec4f, OWN>;
  var high: array<vec4f, OWN>;
  var low_slope: array<vec4f, OWN>;
  var high_slope: array<vec4f, OWN>;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    // Lanes whose key is not in use repeat the last one and take nothing from it.
    let key_at = keys_at + min(first + n * LANES, params.length - 1u) * key_stride;
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      key[n * VECTORS + d] = k[key_at + d] * (params.scale * LOG2E);
      value[n * VECTORS + d] = v[key_at + d];
      key_sums[n * VECTORS + d] = vec4f();
      value_sums[n * VECTORS + d] = vec4f();
    }
  }
  let stride = params.heads * params.vectors;
  let last = params.queries - 1u;
  let share = params.heads / params.groups;
  for (var h = block.head * share; h < (block.head + 1u) * share; h++) {
    let queries_at = block.b * params.queries * stride + h * params.vectors;
    let rows_at = (block.b * params.heads + h) * params.queries;
    for (var t = first_query(block.first, OWN * LANES, start); t < params.queries; t += 8u) {
      let a = min(t + lane, last);
      let c = min(t + 4u + lane, last);
      let a_at = queries_at + a * stride;
      let b_at = queries_at + c * stride;
      let row_a = rows[rows_at + a];
      let row_b = rows[rows_at + c];
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        low[n] = vec4f();
        high[n] = vec4f();
        low_slope[n] = -spread_low(row_a.delta);
        high_slope[n] = -spread_high(row_a.delta, row_b.delta);
      }
      for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
        let queries = first_four(q[a_at + d]);
        let next_queries = next_four(q[a_at + d], q[b_at + d]);
        let slopes = first_four(gradient[a_at + d]);
        let next_slopes = next_four(gradient[a_at + d], gradient[b_at + d]);
        for (var n = 0u; n < OWN; n++) { //! unroll OWN
          low[n] += key[n * VECTORS + d] * queries;
          high[n] += key[n * VECTORS + d] * next_queries;
          low_slope[n] += value[n * VECTORS + d] * slopes;
          high_slope[n] += value[n * VECTORS + d] * next_slopes;
        }
      }
      let queries = t + places(lane);
      let next_queries = queries + 4u;
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        let j = first + n * LANES;
        let used = vec4<bool>(j >= start && j < params.length);
        let low_sees = (last_keys(queries) >= vec4u(j)) & (queries <= vec4u(last)) & used;
        let high_sees = (last_keys(next_queries) >= vec4u(j)) & (next_queries <= vec4u(last)) & used;
        low[n] = weights_of(low[n], spread_low(row_a.log_sum), low_sees);
        high[n] = weights_of(high[n], spread_high(row_a.log_sum, row_b.log_sum), high_sees);
        low_slope[n] = select(vec4f(), low[n] * (low_slope[n] - spread_low(row_a.rest)), low_sees);
        high_slope[n] = select(vec4f(), high[n] * (high_slope[n] - spread_high(row_a.rest, row_b.rest)), high_sees);
      }
      for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
        let queries = first_four(q[a_at + d]);
        let next_queries = next_four(q[a_at + d], q[b_at + d]);
        let slopes = first_four(gradient[a_at + d]);
        let next_slopes = next_four(gradient[a_at + d], gradient[b_at + d]);
        for (var n = 0u; n < OWN; n++) { //! unroll OWN
          value_sums[n * VECTORS + d] += slopes * low[n] + next_slopes * high[n];
          key_sums[n * VECTORS + d] += queries * low_slope[n] + next_queries * high_slope[n];
        }
      }
    }
  }
  var unsound = 0u;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    let j = first + n * LANES;
    if (j < params.capacity) {
      var sound = true;
      for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
        let vector = key_sums[n * VECTORS + d] * params.scale;
        sound = sound && are_finite(vector) && are_finite(value_sums[n * VECTORS + d]);
        out_k[keys_at + j * key_stride + d] = vector;
        out_v[keys_at + j * key_stride + d] = value_sums[n * VECTORS + d];
      }
      unsound |= select(1u << n, 0u, sound);
    }
  }
  for (var n = 0u; unsound != 0u && n < OWN; n++) {
    if (((unsound >> n) & 1u) == 1u) {
      let j = first + n * LANES;
      for (var d = 0u; d < params.vectors; d++) {
        let vectors = careful_key(block.b, block.head, j, d);
        out_k[keys_at + j * key_stride + d] = vectors.key;
        out_v[keys_at + j * key_stride + d] = vectors.value;
      }
    }
  }
}

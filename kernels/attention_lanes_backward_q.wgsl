// Gradient of attention for its queries, beside `attention_lanes`: dQ = scale · dS K, with dS as in `lib/attention_backward.wgsl`.
// The rest is known at the end only, so P K is summed too: dS K = P ∘ (dP − δ) K − rest · P K.
// A workgroup is one subgroup and takes OWN · LANES queries of one head, a lane every LANES-th of them; keys go around eight at a time.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3], of which the rest is written.
enable subgroups;
//! include lib/attention_backward.wgsl
//! include lib/attention_lanes.wgsl

@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, OWN * LANES);
  if (block.b >= params.batch) { return; }
  let first = block.first + lane; // further queries of a lane are LANES apart
  let end = last_key(min(block.first + OWN * LANES, params.queries) - 1u) + 1u;

  let queries_at = (block.b * params.queries * params.heads + block.head) * params.vectors;
  let query_stride = params.heads * params.vectors;
  let stride = params.groups * params.vectors;
  let keys_at = block.b * params.capacity * stride + block.head / (params.heads / params.groups) * params.vectors;
  let rows_at = block.line * params.queries;
  var t: array<u32, OWN>;
  var row: array<QueryRow, OWN>;
  var query: array<vec4f, OWN * VECTORS>;
  var slope: array<vec4f, OWN * VECTORS>;
  var sums: array<vec4f, OWN * VECTORS>;
  var key_sums: array<vec4f, OWN * VECTORS>;
  var total: array<f32, OWN>; // Σ P
  var along: array<f32, OWN>; // Σ P (dP − δ)
  var low: array<vec4f, OWN>;
  var high: array<vec4f, OWN>;
  var low_slope: array<vec4f, OWN>;
  var high_slope: array<vec4f, OWN>;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    // Lanes past the last query repeat it and write nothing.
    t[n] = min(first + n * LANES, params.queries - 1u);
    row[n] = rows[rows_at + t[n]];
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      query[n * VECTORS + d] = q[queries_at + t[n] * query_stride + d] * (params.scale * LOG2E);
      slope[n * VECTORS + d] = gradient[queries_at + t[n] * query_stride + d];
      sums[n * VECTORS + d] = vec4f();
      key_sums[n * VECTORS + d] = vec4f();
    }
    total[n] = 0.0;
    along[n] = 0.0;
  }
  for (var j = first_key(block.b); j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    for (var n = 0u; n < OWN; n++) { //! unroll OWN
      low[n] = vec4f();
      high[n] = vec4f();
      low_slope[n] = vec4f(-row[n].delta);
      high_slope[n] = vec4f(-row[n].delta);
    }
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      let keys = first_four(k[a_at + d]);
      let next_keys = next_four(k[a_at + d], k[b_at + d]);
      let values = first_four(v[a_at + d]);
      let next_values = next_four(v[a_at + d], v[b_at + d]);
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        low[n] += query[n * VECTORS + d] * keys;
        high[n] += query[n * VECTORS + d] * next_keys;
        low_slope[n] += slope[n * VECTORS + d] * values;
        high_slope[n] += slope[n * VECTORS + d] * next_values;
      }
    }
    for (var n = 0u; n < OWN; n++) { //! unroll OWN
      let low_seen = j + places(lane) <= vec4u(last_key(t[n]));
      let high_seen = j + 4u + places(lane) <= vec4u(last_key(t[n]));
      low[n] = weights_of(low[n], vec4f(row[n].log_sum), low_seen);
      high[n] = weights_of(high[n], vec4f(row[n].log_sum), high_seen);
      low_slope[n] = select(vec4f(), low[n] * low_slope[n], low_seen);
      high_slope[n] = select(vec4f(), high[n] * high_slope[n], high_seen);
      total[n] += dot(low[n] + high[n], vec4f(1.0));
      along[n] += dot(low_slope[n] + high_slope[n], vec4f(1.0));
    }
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      let keys = first_four(k[a_at + d]);
      let next_keys = next_four(k[a_at + d], k[b_at + d]);
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        sums[n * VECTORS + d] += keys * low_slope[n] + next_keys * high_slope[n];
        key_sums[n * VECTORS + d] += keys * low[n] + next_keys * high[n];
      }
    }
  }
  var unsound = 0u;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    if (first + n * LANES < params.queries) {
      let rest = select(0.0, along[n] / total[n], first_key(block.b) <= last_key(t[n]));
      rows[rows_at + t[n]].rest = rest;
      var sound = true;
      for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
        let vector = (sums[n * VECTORS + d] - rest * key_sums[n * VECTORS + d]) * params.scale;
        sound = sound && are_finite(vector);
        out[queries_at + t[n] * query_stride + d] = vector;
      }
      unsound |= select(1u << n, 0u, sound);
    }
  }
  for (var n = 0u; unsound != 0u && n < OWN; n++) {
    if (((unsound >> n) & 1u) == 1u) {
      let at = queries_at + (first + n * LANES) * query_stride;
      let seen_end = last_key(first + n * LANES) + 1u;
      let row = rows[rows_at + first + n * LANES];
      for (var d = 0u; d < params.vectors; d++) {
        out[at + d] = careful_query(at, keys_at, first_key(block.b), seen_end, row, d);
      }
    }
  }
}

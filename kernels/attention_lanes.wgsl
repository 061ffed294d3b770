// Softmax attention, out = softmax(scale · Q Kᵀ) V, for subgroups of 4 or 8 lanes. Scores live in registers only (online
// softmax: Milakov & Gimelshein 2018; Dao et al. 2022). `lib/attention.wgsl` says which keys a query sees; one that sees none gives zeros.
// A workgroup is one subgroup and takes OWN · LANES queries of one head, a lane every LANES-th of them: the q of each, its running maximum
// and sum and its D sums. Eight keys at a time are read, one or two a lane, and go around the lanes; all queries of a lane share that reading.
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
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, OWN * LANES);
  if (block.b >= params.batch) { return; }
  let first = block.first + lane; // further queries of a lane are LANES apart
  let end = last_key(min(block.first + OWN * LANES, params.queries) - 1u) + 1u;

  let queries_at = (block.b * params.queries * params.heads + block.head) * params.vectors;
  let query_stride = params.heads * params.vectors;
  let stride = params.groups * params.vectors;
  let keys_at = block.b * params.capacity * stride + block.head / (params.heads / params.groups) * params.vectors;
  var query: array<vec4f, OWN * VECTORS>;
  var sums: array<vec4f, OWN * VECTORS>;
  var low: array<vec4f, OWN>;
  var high: array<vec4f, OWN>;
  var top: array<f32, OWN>;
  var total: array<f32, OWN>;
  var shrink: array<f32, OWN>;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    // Lanes past the last query repeat it and write nothing.
    let at = queries_at + min(first + n * LANES, params.queries - 1u) * query_stride;
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      query[n * VECTORS + d] = q[at + d] * (params.scale * LOG2E);
      sums[n * VECTORS + d] = vec4f();
    }
    top[n] = LOWEST;
    total[n] = 0.0;
  }
  for (var j = first_key(block.b); j < end; j += 8u) {
    let a_at = keys_at + min(j + lane, end - 1u) * stride;
    let b_at = keys_at + min(j + 4u + lane, end - 1u) * stride;
    for (var n = 0u; n < OWN; n++) { //! unroll OWN
      low[n] = vec4f();
      high[n] = vec4f();
    }
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      let fours = first_four(k[a_at + d]);
      let next = next_four(k[a_at + d], k[b_at + d]);
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        low[n] += query[n * VECTORS + d] * fours;
        high[n] += query[n * VECTORS + d] * next;
      }
    }
    let keys = j + places(lane);
    for (var n = 0u; n < OWN; n++) { //! unroll OWN
      let last = vec4u(last_key(min(first + n * LANES, params.queries - 1u)));
      let low_seen = keys <= last;
      let high_seen = keys + vec4u(4u) <= last;
      let a = select(vec4f(LOWEST), low[n], low_seen);
      let b = select(vec4f(LOWEST), high[n], high_seen);
      let both = max(a, b);
      let new_top = max(top[n], max(max(both.x, both.y), max(both.z, both.w)));
      shrink[n] = exp2(top[n] - new_top);
      low[n] = select(vec4f(), exp2(a - new_top), low_seen);
      high[n] = select(vec4f(), exp2(b - new_top), high_seen);
      top[n] = new_top;
      total[n] = total[n] * shrink[n] + dot(low[n] + high[n], vec4f(1.0));
    }
    for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
      let fours = first_four(v[a_at + d]);
      let next = next_four(v[a_at + d], v[b_at + d]);
      for (var n = 0u; n < OWN; n++) { //! unroll OWN
        sums[n * VECTORS + d] = sums[n * VECTORS + d] * shrink[n] + fours * low[n] + next * high[n];
      }
    }
  }
  var unsound = 0u;
  for (var n = 0u; n < OWN; n++) { //! unroll OWN
    let t = first + n * LANES;
    if (t < params.queries) {
      let sees = first_key(block.b) <= last_key(t);
      let factor = select(0.0, 1.0 / total[n], sees);
      var sound = is_finite(total[n]);
      for (var d = 0u; d < vectors(); d++) { //! unroll TURNS
        let vector = sums[n * VECTORS + d] * factor;
        sound = sound && are_finite(vector);
        out[queries_at + t * query_stride + d] = vector;
      }
      log_sum_exp[block.line * params.queries + t] = select(0.0, (top[n] + log2(total[n])) / LOG2E, sees);
      unsound |= select(1u << n, 0u, sound);
    }
  }
  for (var n = 0u; unsound != 0u && n < OWN; n++) {
    if (((unsound >> n) & 1u) == 1u) {
      let t = first + n * LANES;
      let at = queries_at + t * query_stride;
      let seen = Seen(at, keys_at, stride, first_key(block.b), last_key(t) + 1u);
      let log_sum = careful_log_sum(seen);
      for (var d = 0u; d < params.vectors; d++) { out[at + d] = careful_output(seen, log_sum, d); }
      log_sum_exp[block.line * params.queries + t] = log_sum;
    }
  }
}

// Gradient of attention for its queries, beside `attention_tile`: dQ = scale · dS K, with dS as in `lib/attention_backward.wgsl`.
// The rest is known at the end only, so P K is summed too: dS K = P ∘ (dP − δ) K − rest · P K.
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO), out (dQ) [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3], of which the rest is written.
//! include lib/attention_backward.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

// Pair 0 gives the scores, pair 1 their slopes dP.
fn own_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return q[at]; }
  return gradient[at];
}
fn other_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return k[at]; }
  return v[at];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, ROWS);
  if (block.b >= params.batch) { return; }
  let end = last_key(min(block.first + ROWS, params.queries) - 1u) + 1u;
  let base2 = params.scale * LOG2E;
  let x = thread % 16u;
  let queries_at = (block.b * params.queries * params.heads + block.head) * params.vectors;
  let own = Rows(queries_at, params.heads * params.vectors, block.first, params.queries - 1u);
  let keys_at = (block.b * params.capacity * params.groups + block.head / (params.heads / params.groups)) * params.vectors;

  let queries = own_rows(block.first, thread / 16u);
  let last = last_keys(queries);
  var log_sums: vec4f;
  var deltas: vec4f;
  for (var i = 0u; i < 4u; i++) {
    let row = rows[block.line * params.queries + min(queries[i], own.last)];
    log_sums[i] = row.log_sum;
    deltas[i] = row.delta;
  }
  var sums = Sums();
  var key_sums = Sums();
  var total = vec4f(); // Σ P of each own row, over this thread's other rows only
  var along = vec4f(); // Σ P (dP − δ), likewise
  for (var j = first_key(block.b); j < end; j += ROWS) {
    let other = Rows(keys_at, params.groups * params.vectors, j, end - 1u);
    // One call in a loop: compilers inline it, and two copies take long to compile.
    var scores: Products;
    var slopes: Products;
    for (var pair = 0u; pair < 2u; pair++) {
      scores = slopes;
      slopes = products(pair, own, other, thread);
    }
    let seen_a = (vec4u(j + x) <= last) & vec4<bool>(j + x < end);
    let seen_b = (vec4u(j + x + 16u) <= last) & vec4<bool>(j + x + 16u < end);
    let seen = Products(weights_of(scores.a * base2, log_sums, seen_a), weights_of(scores.b * base2, log_sums, seen_b));
    slopes = Products(
      select(vec4f(), seen.a * (slopes.a - deltas), seen_a),
      select(vec4f(), seen.b * (slopes.b - deltas), seen_b));
    total += seen.a + seen.b;
    along += slopes.a + slopes.b;
    set_weights(thread, seen);
    workgroupBarrier();
    mix(&key_sums, 0u, other, thread);
    workgroupBarrier();
    set_weights(thread, slopes);
    workgroupBarrier();
    mix(&sums, 0u, other, thread);
  }
  let rest = row_total(along, thread) / row_total(total, thread);
  let first = first_key(block.b);
  var sound = true;
  for (var i = 0u; i < 4u; i++) {
    if (queries[i] >= params.queries) { continue; }
    let own_rest = select(0.0, rest[i], first <= last[i]);
    if (x == 0u) { rows[block.line * params.queries + queries[i]].rest = own_rest; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        let vector = (sums[4u * n + i] - own_rest * key_sums[4u * n + i]) * params.scale;
        sound = sound && are_finite(vector);
        out[own.at + queries[i] * own.stride + column] = vector;
      }
    }
  }
  if (sound) { return; }
  for (var t = queries.x; t < min(block.first + ROWS, params.queries); t += 8u) {
    var row = rows[block.line * params.queries + t];
    row.rest = rest[(t - queries.x) / 8u];
    let query_at = own.at + t * own.stride;
    for (var d = x; d < params.vectors; d += 16u) {
      out[query_at + d] = careful_query(query_at, keys_at, first, last_key(t) + 1u, row, d);
    }
  }
}
